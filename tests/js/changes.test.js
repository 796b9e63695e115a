import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ChangeLog, Versions, sortOut } from '../../chat/static/js/changes.js';
import { SeqWindow } from '../../chat/static/js/seq-window.js';
import { withVerb } from '../../chat/static/js/verb.js';

const ME = 1;
const BOB = 2;
const message = { seq: 7, message: 'hello', mentionSpans: [{ id: 2, start: 0, length: 2 }], reactions: [], pinned: false, deleted: false, editedAt: null, lastChange: 0 };
const changed = (seq, lastChange) => ({ ...message, seq, lastChange });

test('it works', () => {
  const log = new ChangeLog(4);
  log.receive(5);
  assert.equal(log.known, 5);
  assert.equal(log.hasGap, false);
});

test('a gap is told when it is heard of, and not to who fetches', () => {
  let told = 0;
  const log = new ChangeLog(4, () => { told += 1; });
  log.receive(5);
  log.hear(5);
  log.readPage(5);
  assert.equal(told, 0);
  log.receive(7);
  log.hear();
  log.readPage(7);
  assert.equal(told, 3);
  log.fetched(5, { messages: [], lastChange: 8 });
  assert.deepEqual([told, log.hasGap], [3, true]);
});

test('of a change whose message came without it nothing is known', () => {
  const log = new ChangeLog(4);
  log.receive(5, 0);
  assert.equal(log.hasGap, true);
  log.receive(5, 6);
  assert.equal(log.known, 5);
});

test('a jump shows a gap, which is fetched page by page', () => {
  const log = new ChangeLog(4);
  log.receive(9);
  assert.equal(log.hasGap, true);
  assert.equal(log.fetched(4, { messages: [changed(1, 5), changed(3, 7)], lastChange: 9 }), true);
  assert.equal(log.known, 7);
  assert.equal(log.fetched(7, { messages: [changed(2, 9)], lastChange: 9 }), true);
  assert.equal(log.hasGap, false);
});

test('the heartbeat shows the end that was lost', () => {
  const log = new ChangeLog(4);
  log.hear(4);
  assert.equal(log.hasGap, false);
  log.hear(6);
  assert.equal(log.hasGap, true);
});

test('an answer without a number, of an older server, says nothing', () => {
  const log = new ChangeLog(4);
  log.hear(undefined);
  log.readPage(undefined);
  assert.deepEqual([log.known, log.head], [4, 4]);
});

test('what comes twice or late changes nothing', () => {
  const log = new ChangeLog(4);
  log.receive(5);
  log.receive(5);
  log.receive(3);
  assert.deepEqual([log.known, log.hasGap], [5, false]);
});

test('a page that brings nothing is the last one that is fetched', () => {
  const log = new ChangeLog(4);
  log.hear(6);
  assert.equal(log.fetched(4, { messages: [], lastChange: 4 }), false);
});

test('of a page that changes have overtaken no more is known than up to its number', () => {
  const log = new ChangeLog(0);
  assert.equal(log.fetched(0, { messages: [changed(1, 2), changed(2, 4)], lastChange: 2 }), true); // 3 was stored after the page, 4 before
  assert.deepEqual([log.known, log.hasGap], [2, true]);
  assert.equal(log.fetched(2, { messages: [changed(3, 3), changed(2, 4)], lastChange: 4 }), true);
  assert.deepEqual([log.known, log.hasGap], [4, false]);
});

test('what was pushed while a page was on its way is fetched again: the page may be older', () => {
  const log = new ChangeLog(4);
  log.receive(5);
  log.readPage(4);
  assert.deepEqual([log.known, log.hasGap], [4, true]);
});

test('such a page that comes while changes are fetched is not forgotten', () => {
  const log = new ChangeLog(6);
  log.hear(8);
  log.readPage(5);
  assert.equal(log.fetched(6, { messages: [changed(1, 8)], lastChange: 8 }), true, 'there is more to fetch');
  assert.deepEqual([log.known, log.hasGap], [5, true]);
  assert.equal(log.fetched(6, { messages: [], lastChange: 6 }), true, 'even where nothing came');
});

test('a change that comes before its message is not undone by it', () => {
  const versions = new Versions(10);
  assert.equal(versions.remember('a', changed(7, 3)), true);
  assert.equal(versions.remember('a', changed(7, 2)), false);
  assert.equal(versions.newest('a', message).lastChange, 3);
  assert.equal(versions.newest('a', changed(7, 4)).lastChange, 4);
  assert.equal(versions.newest('b', message), message);
});

test('no more versions are remembered than are wanted', () => {
  const versions = new Versions(2);
  versions.remember('a', changed(1, 1));
  versions.remember('b', changed(2, 2));
  versions.remember('a', changed(1, 3));
  versions.remember('c', changed(3, 4));
  assert.deepEqual(['a', 'b', 'c'].map((id) => versions.get(id)?.lastChange), [3, undefined, 4]);
});

test('of what came, the next message is shown, an older version replaced, and a jump fetched', () => {
  const seqWindow = new SeqWindow({ first: 3, last: 6 });
  const shown = new Map([[3, 0], [4, 2], [5, 2], [6, 0]]); // seq → lastChange
  const came = [changed(2, 9), changed(4, 1), changed(5, 3), changed(6, 0), changed(7, 8), changed(9, 10)];
  const { show, changed: newer, fetch } = sortOut(seqWindow, came, 0, (seq) => shown.get(seq));
  assert.deepEqual(show.map(({ seq }) => seq), [7]);
  assert.deepEqual(newer.map(({ seq }) => seq), [5]);
  assert.equal(fetch.after, 7);
});

const sorted = ({ reactions }) => reactions.map(({ emoji, userIds }) => `${emoji} ${userIds}`);
const react = (start, ...verbs) => sorted(verbs.reduce((shown, verb) => withVerb(shown, verb, ME), start));

test('a reaction is shown once, and taken back', () => {
  assert.deepEqual(react(message, { react: '+', on: true }, { react: '+', on: true }), ['+ 1']);
  const liked = { ...message, reactions: [{ emoji: '+', userIds: [BOB] }] };
  assert.deepEqual(react(liked, { react: '-', on: true }, { react: '+', on: true }), ['+ 2,1', '- 1']);
  assert.deepEqual(react(liked, { react: '+', on: true }, { react: '+', on: false }), ['+ 2']);
  assert.deepEqual(react(message, { react: '+', on: true }, { react: '+', on: false }), []);
  assert.deepEqual(react(message, { react: '+', on: false }), []);
});

test('an edit keeps the time of an earlier one, and loses the mentions of the text before', () => {
  const edited = withVerb(message, { edit: 'other', seen: 0 }, ME);
  assert.equal(edited.message, 'other');
  assert.ok(edited.editedAt);
  assert.deepEqual(edited.mentionSpans, []);
  assert.equal(withVerb({ ...message, editedAt: 'then' }, { edit: 'x' }, ME).editedAt, 'then');
});

test('nothing of a deleted message is left, and nothing more is done to it', () => {
  const full = { ...message, reactions: [{ emoji: '+', userIds: [BOB] }], pinned: true, replyTo: { seq: 1, message: 'secret' } };
  const deleted = withVerb(full, { delete: true }, ME);
  assert.ok(!JSON.stringify(deleted).includes('secret') && !JSON.stringify(deleted).includes('hello'));
  assert.deepEqual([deleted.deleted, deleted.pinned, deleted.reactions, deleted.replyTo], [true, false, [], null]);
  for (const verb of [{ edit: 'x' }, { react: '+', on: true }, { pin: true }]) assert.equal(withVerb(deleted, verb, ME), deleted);
});

test('a pin is shown and taken away', () => {
  assert.equal(withVerb(message, { pin: true }, ME).pinned, true);
  assert.equal(withVerb({ ...message, pinned: true }, { pin: false }, ME).pinned, false);
});
