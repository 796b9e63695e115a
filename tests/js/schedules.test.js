import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ChangeLog, Versions, sortOut } from '../../chat/static/js/changes.js';
import { Outbox } from '../../chat/static/js/outbox.js';
import { SeqWindow } from '../../chat/static/js/seq-window.js';
import { importMutant } from './mutants.js';
import { simulate } from './simulation.js';

const FIRST_SEED = Number(process.env.FIRST_SEED ?? 1);
const SCHEDULES = Number(process.env.SCHEDULES ?? 100_000);
const MUTANT_SCHEDULES = 100;
const parts = { Outbox, SeqWindow, ChangeLog, Versions, sortOut };

test(`${SCHEDULES} random schedules keep the delivery contract`, () => {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SCHEDULES; seed += 1) {
    try {
      simulate(seed, parts);
    } catch (error) {
      assert.fail(`FIRST_SEED=${seed} SCHEDULES=1: ${error.message}`);
    }
  }
});

// What the schedules would not notice, they would not prove.
const mutants = {
  'an outbox that takes silence for success': {
    Outbox: class extends Outbox {
      settle(entry, answer, now) {
        return super.settle(entry, answer ?? { ok: true, message: {} }, now);
      }
    },
  },
  'an outbox that gives up after the second try': {
    Outbox: class extends Outbox {
      take(now) {
        return super.take(now).filter((entry) => entry.attempts < 3);
      }
    },
  },
  'an outbox that sends the newest first': {
    Outbox: class extends Outbox {
      add(fields, now) {
        return super.add({ ...fields }, -now);
      }

      put(entry) {
        super.put({ ...entry, createdAt: -entry.createdAt });
      }
    },
  },
  'an outbox that takes a room for the person of its number': {
    Outbox: class extends Outbox {
      add({ conversationId, receiverId = conversationId, ...fields }, now) {
        return super.add({ ...fields, receiverId }, now);
      }
    },
  },
  'an outbox that gives up on a room': {
    Outbox: class extends Outbox {
      take(now) {
        return super.take(now).filter((entry) => !entry.conversationId || entry.attempts < 2);
      }
    },
  },
  'an outbox that shows a refusal as sent': {
    Outbox: class extends Outbox {
      settle(entry, answer, now) {
        return super.settle(entry, answer && { ok: true, message: {} }, now);
      }
    },
  },
  'a log that shows whatever comes': {
    SeqWindow: class extends SeqWindow {
      receive(messages) {
        return { show: messages, fetch: null };
      }
    },
  },
  'a log that fetches no gap': {
    SeqWindow: class extends SeqWindow {
      receive(messages, head) {
        return { ...super.receive(messages, head), fetch: null };
      }
    },
  },
  'a log without a heartbeat': {
    SeqWindow: class extends SeqWindow {
      receive(messages) {
        return super.receive(messages);
      }
    },
  },
  'an outbox that loses what waits for a message': {
    Outbox: class extends Outbox {
      acknowledged(clientId) {
        this.remove(clientId);
      }
    },
  },
  'an outbox that has not seen its own edit': {
    Outbox: class extends Outbox {
      add({ basedOn, ...fields }, now) {
        return super.add(fields, now);
      }
    },
  },
  'an outbox that loses a text that was refused': {
    Outbox: class extends Outbox {
      settle(entry, answer, now) {
        const outcome = super.settle(entry, answer, now);
        if (outcome === 'failed' && entry.verb) this.remove(entry.clientId);
        return outcome;
      }
    },
  },
  'a log that fetches no change': {
    ChangeLog: class extends ChangeLog {
      get hasGap() {
        return false;
      }
    },
  },
  'a log without a heartbeat of changes': {
    ChangeLog: class extends ChangeLog {
      receive(number) {
        super.hear(number);
        super.receive(number);
      }

      hear() {}
    },
  },
  'a log that takes a jump for the next change': {
    ChangeLog: class extends ChangeLog {
      receive(number) {
        super.hear(number);
        this.known = Math.max(this.known, number);
      }
    },
  },
  'a log that takes one page of changes for all': {
    ChangeLog: class extends ChangeLog {
      fetched(after, page) {
        super.fetched(after, page);
        this.known = Math.max(this.known, page.lastChange);
        return false;
      }
    },
  },
  'a log that shows the version that came last': {
    sortOut: (seqWindow, messages, head, lastChangeOf) => {
      const sorted = sortOut(seqWindow, messages, head, lastChangeOf);
      return { ...sorted, changed: messages.filter((message) => lastChangeOf(message.seq) !== undefined) };
    },
  },
};

// Faults in the scripts themselves: [code, replacement] in outbox.js.
const faults = {
  'an outbox that sends a change before its message': ['Boolean(target.clientId) || ', ''],
  'an outbox that sends an edit of what is to be deleted': [' || this.changesOf(keyOf(entry), target).some(isLaterDeletion)', ''],
  'an outbox that does not say what an edit has seen': ['entry.verb = { ...entry.verb, seen };', ';'],
};

function notices(mutant) {
  assert.throws(() => {
    for (let seed = 1; seed <= MUTANT_SCHEDULES; seed += 1) simulate(seed, { ...parts, ...mutant });
  }, assert.AssertionError);
}

for (const [name, mutant] of Object.entries(mutants)) test(`the schedules notice ${name}`, () => notices(mutant));

for (const [name, [code, replacement]] of Object.entries(faults)) {
  test(`the schedules notice ${name}`, async () => notices(await importMutant('outbox.js', code, replacement)));
}
