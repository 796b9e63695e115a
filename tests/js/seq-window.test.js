import assert from 'node:assert/strict';
import { test } from 'node:test';

import { SeqWindow } from '../../chat/static/js/seq-window.js';

const message = (seq) => ({ seq });
const messages = (first, last) => Array.from({ length: last - first + 1 }, (_, index) => message(first + index));
const seqs = (list) => list.map(({ seq }) => seq);

test('it works', () => {
  const seqWindow = new SeqWindow({ first: 1, last: 0 });
  const { show, fetch } = seqWindow.receive([message(1), message(2)]);
  assert.deepEqual(seqs(show), [1, 2]);
  assert.equal(fetch, null);
});

test('a known message is dropped', () => {
  const seqWindow = new SeqWindow({ first: 1, last: 5 });
  assert.deepEqual(seqWindow.receive([message(5)]), { show: [], fetch: null });
  assert.deepEqual(seqWindow.receive([message(2)]), { show: [], fetch: null });
});

test('a jump is fetched, however long it is', () => {
  const seqWindow = new SeqWindow({ first: 1, last: 5 });
  assert.deepEqual(seqWindow.receive([message(1000)]), { show: [], fetch: { after: 5, limit: 200 } });
  const { show, fetch } = seqWindow.receive(messages(6, 205), 1000);
  assert.equal(show.length, 200);
  assert.deepEqual(fetch, { after: 205, limit: 200 });
});

test('a head above the last message shows a lost tail', () => {
  const seqWindow = new SeqWindow({ first: 1, last: 5 });
  assert.equal(seqWindow.receive([], 5).fetch, null);
  assert.deepEqual(seqWindow.receive([], 6).fetch, { after: 5, limit: 200 });
});

test('older pages come before, without a hole', () => {
  const seqWindow = new SeqWindow({ first: 101, last: 150 });
  assert.deepEqual(seqWindow.olderRange(50), { before: 101, limit: 50 });
  assert.deepEqual(seqs(seqWindow.prepend(messages(98, 100))), [98, 99, 100]);
  assert.deepEqual(seqWindow.prepend(messages(1, 5)), [], 'a page that does not join is not shown');
  assert.deepEqual(seqWindow.prepend(messages(98, 100)), [], 'nor one that came before');
  assert.equal(seqWindow.first, 98);
});

test('the beginning has nothing older', () => {
  const seqWindow = new SeqWindow({ first: 2, last: 2 });
  assert.equal(seqWindow.hasOlder, true);
  seqWindow.prepend([message(1)]);
  assert.equal(seqWindow.hasOlder, false);
  assert.equal(seqWindow.olderRange(50), null);
});

test('a reader far up does not follow: new messages wait', () => {
  const seqWindow = new SeqWindow({ first: 1, last: 320 });
  seqWindow.dropNewest(20);
  assert.deepEqual(seqWindow.receive([message(321)]), { show: [], fetch: null });
  assert.deepEqual(seqWindow.newerRange(60), { after: 300, limit: 60 });
  assert.equal(seqWindow.append(messages(301, 310), 321).length, 10);
  assert.equal(seqWindow.followsEnd, false);
});

test('a reader who comes down to the end follows again', () => {
  const seqWindow = new SeqWindow({ first: 1, last: 10, head: 12 });
  assert.equal(seqWindow.followsEnd, false);
  seqWindow.append(messages(11, 12), 12);
  assert.equal(seqWindow.followsEnd, true);
  assert.deepEqual(seqs(seqWindow.receive([message(13)]).show), [13]);
});

test('what is let go of at the top is older again', () => {
  const seqWindow = new SeqWindow({ first: 1, last: 320 });
  seqWindow.dropOldest(20);
  assert.deepEqual(seqWindow.olderRange(60), { before: 21, limit: 60 });
  assert.equal(seqWindow.followsEnd, true);
});
