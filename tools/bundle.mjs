// Bundles the scripts of a directory and minifies them into another: node tools/bundle.mjs FROM TO
//
// The sources are many small modules; a first view may ask for twelve files at most. So app.js and auth.js each come in
// one file, with all that they import. What they load later, by import('./x.js'), is a file of its own, x.js.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rollup } from 'rollup';
import { minify } from 'terser';

const ENTRIES = ['app.js', 'auth.js'];
const SOCKET_IO = '../build/socket.io.js'; // its package has minified it; it stays a file of its own

const [from, to] = process.argv.slice(2);

const bundle = await rollup({
  input: ENTRIES.map((name) => join(from, name)),
  external: (id) => id.endsWith('socket.io.js'),
  onwarn: (warning) => { throw new Error(warning.message); },
});
const { output } = await bundle.generate({ entryFileNames: '[name].js', chunkFileNames: '[name].js', paths: () => SOCKET_IO });
mkdirSync(to, { recursive: true });
for (const { fileName, code } of output) {
  writeFileSync(join(to, fileName), (await minify(code, { module: true })).code);
}
