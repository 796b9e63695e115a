import assert from 'node:assert/strict';
import { test } from 'node:test';

// As much of a page as the module asks for when it is loaded.
globalThis.document = { documentElement: { lang: 'en' }, body: { dataset: {} } };
globalThis.navigator ??= {};
const { continuesGroup } = await import('../../chat/static/js/separators.js');

test('it works: messages of one sender less than five minutes apart on a day are a group', () => {
  const at = (senderId, time) => ({ senderId, date: new Date(`2026-11-22T${time}Z`), day: '2026-11-22' });
  const first = at(1, '10:00:00');
  assert.equal(continuesGroup(first, at(1, '10:04:59.999')), true);
  assert.equal(continuesGroup(first, at(1, '10:05:00')), false);
  assert.equal(continuesGroup(first, at(2, '10:00:01')), false);
  assert.equal(continuesGroup(first, { ...at(1, '10:00:01'), day: '2026-11-23' }), false);
});
