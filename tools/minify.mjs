// Writes each script of a directory without its comments and spaces to another: node tools/minify.mjs FROM TO
// The modules stay modules, one a file: this is no bundler.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { minify } from 'terser';

const [from, to] = process.argv.slice(2);

mkdirSync(to, { recursive: true });
for (const name of readdirSync(from).filter((file) => file.endsWith('.js'))) {
  const { code } = await minify(readFileSync(join(from, name), 'utf8'), { module: true });
  writeFileSync(join(to, name), code);
}
