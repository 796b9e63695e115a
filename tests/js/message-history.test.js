import assert from 'node:assert/strict';
import { test } from 'node:test';

import './fake-page.js';

const { MessageHistory } = await import('../../chat/static/js/message-history.js');

/** A conversation of `count` messages, of which `fit` are in one answer, as `{list, shown}`: the seqs that were shown last. */
function conversationOf(count, fit) {
  const state = { shown: [] };
  globalThis.fetch = async (url) => {
    const { after, limit } = Object.fromEntries(new URL(url, 'http://chat').searchParams);
    const all = Array.from({ length: count }, (_, index) => ({ seq: index + 1 }));
    const messages = all.filter(({ seq }) => seq > after).slice(0, Math.min(limit, fit));
    return { status: 200, ok: true, json: async () => ({ messages, lastSeq: count }) };
  };
  const list = {
    messagesUrl: '/messages/bob', signal: new AbortController().signal, changes: { readPage: () => {} }, arrange: () => {},
    seqWindow: { head: count, reset: () => {} },
    rows: { replaceAll: (messages) => { state.shown = messages.map(({ seq }) => seq); } },
  };
  return Object.assign(state, { list });
}

test('it works: a message is shown among those around it', async () => {
  const conversation = conversationOf(500, 200);
  await new MessageHistory(conversation.list).showAround(100);
  assert.deepEqual([conversation.shown.at(0), conversation.shown.at(-1)], [71, 130]);
});

test('a message is there however long those before it are', async () => {
  const conversation = conversationOf(500, 21);
  await new MessageHistory(conversation.list).showAround(100);
  assert.deepEqual([conversation.shown.at(0), conversation.shown.at(-1)], [100, 120]);
  await new MessageHistory(conversation.list).showUnread(300);
  assert.ok(conversation.shown.includes(300));
});

test('where there is no such message, what is there stays', async () => {
  const conversation = conversationOf(50, 21);
  await new MessageHistory(conversation.list).showAround(900);
  assert.deepEqual(conversation.shown, []);
});
