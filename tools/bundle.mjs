// Bundles the scripts of a directory and minifies them into another one: node tools/bundle.mjs FROM TO
//
// The sources are many small modules, but a first page view may request only twelve files. So app.js and auth.js each become
// one file with everything they import. A module that is loaded later, by import('./x.js'), stays a file of its own, x.js.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rollup } from 'rollup';
import { minify } from 'terser';

import { findSocketIo, notice } from './socket-io.mjs';

const ENTRIES = ['app.js', 'auth.js'];
const MIN_BYTES = 200; // of a file that two others share: a smaller one would cost a request more than it saves
const ECMA = 2020; // every browser that has IndexedDB's promises, `??=` and private fields has more

const MODULES = fileURLToPath(new URL('../node_modules/', import.meta.url));

/** Packages that are ES modules are imported by the path of a file. */
const findPackages = { name: 'find-packages', resolveId: (id) => (/^@highlightjs\//.test(id) ? join(MODULES, id) : null) };

const [from, to] = process.argv.slice(2);

const bundle = await rollup({
  input: ENTRIES.map((name) => join(from, name)),
  plugins: [findSocketIo, findPackages],
  onwarn: (warning) => { throw new Error(warning.message); },
});
const { output } = await bundle.generate({ entryFileNames: '[name].js', chunkFileNames: '[name].js', experimentalMinChunkSize: MIN_BYTES });
mkdirSync(to, { recursive: true });
for (const { fileName, code, modules } of output) {
  const hasSocketIo = Object.keys(modules).some((id) => id.includes('socket.io-client'));
  const small = await minify(code, { module: true, compress: { ecma: ECMA, passes: 2 } });
  writeFileSync(join(to, fileName), hasSocketIo ? `${notice}\n${small.code}` : small.code);
}
