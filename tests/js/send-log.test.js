import assert from 'node:assert/strict';
import { test } from 'node:test';

// A browser whose database opens, and then answers nothing.
const soon = (action) => setImmediate(action);
globalThis.document = { documentElement: { lang: 'en' }, body: { dataset: { userId: '1' } } };
globalThis.indexedDB = {
  open() {
    const opening = { result: { transaction: () => ({ objectStore: () => ({ get: () => ({}) }) }) } };
    soon(() => opening.onsuccess());
    return opening;
  },
};

test('where the storage hangs, nothing is known of a message, and nobody waits for ever', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const { findRecord } = await import('../../chat/static/js/send-log.js');
  const finding = findRecord('a');
  for (let turn = 0; turn < 3; turn++) await new Promise(soon);
  context.mock.timers.tick(2_000);
  assert.equal(await finding, null);
});
