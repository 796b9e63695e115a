/** Copies of a script with one fault each: what the tests would not notice, they would not prove. */

import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';

const SOURCES = fileURLToPath(new URL('../../chat/static/js/', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'mutants-'));
after(() => rmSync(folder, { recursive: true }));

let count = 0;

/** Imports the script `name` with `replacement` in the place of `code`. */
export async function importMutant(name, code, replacement) {
  const copy = join(folder, String(count += 1));
  cpSync(SOURCES, copy, { recursive: true });
  writeFileSync(join(copy, 'package.json'), '{"type": "module"}');
  const source = readFileSync(join(copy, name), 'utf8');
  assert.ok(source.includes(code), code);
  writeFileSync(join(copy, name), source.replace(code, replacement));
  return import(pathToFileURL(join(copy, name)));
}
