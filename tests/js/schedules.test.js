import assert from 'node:assert/strict';
import { test } from 'node:test';

import { SeqWindow } from '../../chat/static/js/seq-window.js';
import { Outbox } from '../../chat/static/js/outbox.js';
import { simulate } from './simulation.js';

const FIRST_SEED = Number(process.env.FIRST_SEED ?? 1);
const SCHEDULES = Number(process.env.SCHEDULES ?? 100_000);
const MUTANT_SCHEDULES = 100;

test(`${SCHEDULES} random schedules keep the delivery contract`, () => {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SCHEDULES; seed += 1) {
    try {
      simulate(seed, { Outbox, SeqWindow });
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
        return super.settle(entry, answer ?? { ok: true }, now);
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
        return super.settle(entry, answer && { ok: true }, now);
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
};

for (const [name, parts] of Object.entries(mutants)) {
  test(`the schedules notice ${name}`, () => {
    assert.throws(() => {
      for (let seed = 1; seed <= MUTANT_SCHEDULES; seed += 1) simulate(seed, { Outbox, SeqWindow, ...parts });
    }, assert.AssertionError);
  });
}
