import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';

import * as module from '../../chat/static/js/shared-connection.js';
import { simulateTabs } from './tabs.js';

const FIRST_SEED = Number(process.env.FIRST_SEED ?? 1);
const SCHEDULES = Number(process.env.TAB_SCHEDULES ?? 100);
const MUTANT_SCHEDULES = 40;

const SOURCES = fileURLToPath(new URL('../../chat/static/js/', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'mutants-'));
after(() => rmSync(folder, { recursive: true }));

async function live(parts, count) {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + count; seed += 1) {
    try {
      await simulateTabs(seed, parts);
    } catch (error) {
      if (!(error instanceof assert.AssertionError)) throw error;
      assert.fail(`FIRST_SEED=${seed}: ${error.message}`);
    }
  }
}

test(`in ${SCHEDULES} random schedules every tab shows everything by one connection`, () => live(module, SCHEDULES));

// What the schedules would not notice, they would not prove.
const mutants = {
  'a leader that does not tell what its followers have sent': ["if (event === 'sendMessage')", 'if (false)'],
  'a follower that does not ask whether its leader lives': ['if (this.#isChecking || this.isLeading) return;', 'return;'],
  'a follower that hears former leaders': ['else if (data.term === this.#term)', 'else'],
  'a follower that follows whoever says that it leads': ['if (term < this.#latestTerm) return;', ''],
  'a follower that does not catch up with another leader': ["if (isOther || !to || status !== this.own.status)", 'if (!this.own.status)'],
  'a robbed leader that keeps its connection': ['if (hadOwn) this.own.disconnect();', ''],
};

for (const [name, [code, replacement]] of Object.entries(mutants)) {
  test(`the schedules notice ${name}`, async () => {
    const copy = join(folder, name.replaceAll(' ', '-'));
    cpSync(SOURCES, copy, { recursive: true });
    writeFileSync(join(copy, 'package.json'), '{"type": "module"}');
    const source = readFileSync(join(copy, 'shared-connection.js'), 'utf8');
    assert.ok(source.includes(code));
    writeFileSync(join(copy, 'shared-connection.js'), source.replace(code, replacement));
    const mutant = await import(pathToFileURL(join(copy, 'shared-connection.js')));
    await assert.rejects(live(mutant, MUTANT_SCHEDULES), assert.AssertionError);
  });
}
