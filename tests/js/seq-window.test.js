import assert from 'node:assert/strict';
import { test } from 'node:test';

import { SeqWindow, completeness, continuesGroup } from '../../chat/static/js/seq-window.js';

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

// What a page says of itself: the numbers of its rows, and what the seqWindow knows.

const run = (first, last) => seqs(messages(first, last));
const at = (head, followsEnd = true) => ({ head, followsEnd });

test('a page that holds the newest is complete, wherever it begins', () => {
  assert.deepEqual(completeness(run(1, 7), at(7)), { state: 'complete', first: 1, last: 7, head: 7, missing: 0 });
  assert.equal(completeness(run(1433, 1482), at(1482)).state, 'complete');
  assert.equal(completeness([1], at(1)).state, 'complete');
});

test('nothing is said of a conversation without messages', () => {
  assert.equal(completeness([], at(0)), null);
  assert.equal(completeness([], at(0), false), null);
});

test('what the server has and the page has not is being fetched', () => {
  assert.deepEqual(completeness(run(1, 1470), at(1482)), { state: 'fetching', first: 1, last: 1470, head: 1482, missing: 12 });
  assert.deepEqual(completeness([], at(3)), { state: 'fetching', first: 0, last: 0, head: 3, missing: 3 });
});

test('far up in the history the newest are not wanted', () => {
  assert.deepEqual(completeness(run(300, 620), at(1482, false)), { state: 'part', first: 300, last: 620, head: 1482, missing: 0 });
});

test('without the server nobody knows', () => {
  assert.equal(completeness(run(1, 1470), at(1470), false).state, 'unchecked');
  assert.equal(completeness(run(1, 1470), at(1482), false).state, 'unchecked');
});

test('a hole shows, whatever the seqWindow believes', () => {
  const holed = [...run(1, 10), ...run(13, 20)];
  assert.deepEqual(completeness(holed, at(20)), { state: 'broken', first: 1, last: 20, head: 20, missing: 2 });
  assert.equal(completeness(holed, at(22)).missing, 4);
  assert.equal(completeness(holed, at(20), false).state, 'broken');
});

test('a row beyond what the seqWindow knows is counted', () => {
  assert.deepEqual(completeness(run(1, 9), at(7)), { state: 'complete', first: 1, last: 9, head: 9, missing: 0 });
});

test('messages of one sender less than five minutes apart on a day are a group', () => {
  const at = (senderId, time) => ({ senderId, date: new Date(`2026-11-22T${time}Z`), day: '2026-11-22' });
  const first = at(1, '10:00:00');
  assert.equal(continuesGroup(first, at(1, '10:04:59.999')), true);
  assert.equal(continuesGroup(first, at(1, '10:05:00')), false);
  assert.equal(continuesGroup(first, at(2, '10:00:01')), false);
  assert.equal(continuesGroup(first, { ...at(1, '10:00:01'), day: '2026-11-23' }), false);
});
