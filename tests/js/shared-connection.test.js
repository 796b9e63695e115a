import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as module from '../../chat/static/js/shared-connection.js';
import { importMutant } from './mutants.js';
import { simulateTabs } from './tabs.js';

const FIRST_SEED = Number(process.env.FIRST_SEED ?? 1);
const SCHEDULES = Number(process.env.TAB_SCHEDULES ?? 100);
const MUTANT_SCHEDULES = 40;

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
  'a leader that tells of no change': ["    if (this.isLeading) this.#post('event', { event, payload });", "    if (this.isLeading && event !== 'messageChanged') this.#post('event', { event, payload });"],
  'a follower that does not ask whether its leader lives': ['if (this.#isChecking || this.isLeading) return;', 'return;'],
  'a follower that hears former leaders': ['else if (data.term === this.#term)', 'else'],
  'a follower that follows whoever says that it leads': ['if (term < this.#latestTerm) return;', ''],
  'a follower that does not catch up with another leader': ["if (isOther || !to || status !== this.own.status)", 'if (!this.own.status)'],
  'a robbed leader that keeps its connection': ['if (hadOwn) this.own.disconnect();', ''],
};

for (const [name, [code, replacement]] of Object.entries(mutants)) {
  test(`the schedules notice ${name}`, async () => {
    const mutant = await importMutant('shared-connection.js', code, replacement);
    await assert.rejects(live(mutant, MUTANT_SCHEDULES), assert.AssertionError);
  });
}
