// Bundles the scripts of a directory and minifies them into another one: node tools/bundle.mjs FROM TO
//
// The sources are many small modules, but a first page view may request only twelve files. So app.js and auth.js each become
// one file with everything they import. A module that is loaded later, by import('./x.js'), stays a file of its own, x.js.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rollup } from 'rollup';
import { minify } from 'terser';

const ENTRIES = ['app.js', 'auth.js'];
const SOCKET_IO = '../build/socket.io.js'; // minified by its package; it stays a separate file

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
