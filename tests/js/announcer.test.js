import assert from 'node:assert/strict';
import { mock, test } from 'node:test';

// As much of a page as the modules ask for: the log holds lines.
const log = { lines: [], replaceChildren: (...lines) => { log.lines = lines; } };
const makeLine = () => ({ remove() { log.lines = log.lines.filter((line) => line !== this); } });
globalThis.document = { documentElement: { lang: 'en' }, body: { dataset: { userId: '1' } }, querySelector: () => log, createElement: makeLine };
globalThis.navigator ??= {};
mock.timers.enable({ apis: ['setTimeout'] });
const { say } = await import('../../chat/static/js/announcer.js');
const { announce, retract } = await import('../../chat/static/js/announcements.js');

const MINUTE_MS = 60_000;
const spoken = () => log.lines.map(({ textContent }) => textContent);
const message = (seq) => ({ conversationId: 9, seq, kind: 'text', senderId: 2, receiverId: 1, sender: 'bob', message: `secret ${seq}`, mentionSpans: [], files: [], deleted: false });

test('it works: what was said does not stay on the page', () => {
  say('Copied');
  assert.deepEqual(spoken(), ['Copied']);
  mock.timers.tick(MINUTE_MS);
  assert.deepEqual(spoken(), []);
});

test('what is said later has its own time', () => {
  say('one');
  mock.timers.tick(9_000);
  say('two');
  mock.timers.tick(9_000);
  assert.deepEqual(spoken(), ['two']);
});

test('a message that was deleted or edited is gone from there at once, and no other', () => {
  announce(message(1), null);
  announce(message(2), null);
  mock.timers.tick(1_000);
  assert.deepEqual(spoken(), ['bob: secret 1', 'bob: secret 2']);
  retract(message(1));
  assert.deepEqual(spoken(), ['bob: secret 2']);
  retract({ ...message(2), conversationId: 8 });
  assert.deepEqual(spoken(), ['bob: secret 2']);
});
