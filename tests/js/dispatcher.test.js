import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { Dispatcher } from '../../chat/static/js/dispatcher.js';
import { change } from '../../chat/static/js/outbox-changes.js';

globalThis.navigator ??= {}; // without locks every tab sends

const BOB = 2;
const stored = (seq) => ({ ok: true, message: { seq, conversationId: 9 } });
const changed = (number, seq = 5) => ({ ok: true, change: number, message: { seq, conversationId: 9 } });
const refused = (code, message) => ({ ok: false, error: { code, message: 'No', retry: false }, message });

let owners = 0;
const opened = [];
after(() => opened.forEach((dispatcher) => dispatcher.tabs.close()));

/** A tab of a person: what it sends waits for `answer(ack)`, and what the page is told is noted. */
class Tab {
  sent = [];
  told = [];
  #waiting = [];

  constructor(owner) {
    const note = (name) => (...values) => void (name !== 'changed' && this.told.push([name, ...values]));
    const on = Object.fromEntries(['sent', 'changeSent', 'changeRefused', 'changed', 'storageFailed', 'closed'].map((name) => [name, note(name)]));
    this.outbox = new Dispatcher(owner, (entry) => this.#send(entry), on);
    opened.push(this.outbox);
  }

  #send(entry) {
    this.sent.push(structuredClone(entry));
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async answer(ack) {
    this.#waiting.shift()(ack);
    await settled();
  }

  toldOf(name) {
    return this.told.filter(([what]) => what === name).map(([, value]) => value);
  }
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 30)); // messages between tabs come meanwhile

async function openTabs(count, isConnected = true) {
  const owner = owners += 1;
  const tabs = Array.from({ length: count }, () => new Tab(owner));
  for (const { outbox } of tabs) {
    await outbox.open();
    outbox.setConnected(isConnected);
  }
  return tabs;
}

test('a change whose writer may not see the message any more is done, and shows nothing', async () => {
  const [tab, other] = await openTabs(2);
  await change(tab.outbox, BOB, { seq: 5, conversationId: 9 }, { react: '+', on: true });
  await tab.answer({ ok: true, change: 1, message: null });
  assert.deepEqual([tab, other].map(({ outbox }) => outbox.length), [0, 0]);
  assert.deepEqual([tab, other].flatMap((each) => each.toldOf('changeSent')), []);
});

test('a change of a message that is on its way is sent when it has a seq', async () => {
  const [tab] = await openTabs(1);
  await tab.outbox.add(BOB, 'hello');
  const { clientId } = tab.sent[0];
  await change(tab.outbox, BOB, { clientId }, { react: '+', on: true });
  assert.equal(tab.sent.length, 1);
  await tab.answer(stored(5));
  assert.deepEqual(tab.sent[1].target, { seq: 5, conversationId: 9 });
  await tab.answer(changed(1));
  assert.deepEqual(tab.toldOf('changeSent'), [{ change: 1, message: { seq: 5, conversationId: 9 } }]);
  assert.equal(tab.outbox.length, 0);
});

test('a message that nobody has tried to send is edited where it waits', async () => {
  const [tab] = await openTabs(1, false);
  await tab.outbox.add(BOB, 'helo');
  const [{ clientId }] = tab.outbox.to(BOB);
  await change(tab.outbox, BOB, { clientId }, { edit: 'hello', seen: 0 });
  assert.deepEqual(tab.outbox.to(BOB).map(({ message }) => message), ['hello']);
  tab.outbox.setConnected(true);
  await settled();
  assert.deepEqual(tab.sent.map(({ message }) => message), ['hello']);
});

test('a message that nobody has tried to send is deleted with all that was done to it', async () => {
  const [tab] = await openTabs(1, false);
  await tab.outbox.add(BOB, 'secret');
  const [{ clientId }] = tab.outbox.to(BOB);
  await change(tab.outbox, BOB, { clientId }, { pin: true });
  await change(tab.outbox, BOB, { clientId }, { delete: true });
  tab.outbox.setConnected(true);
  await settled();
  assert.deepEqual(tab.sent, []);
  assert.equal(tab.outbox.length, 0);
});

test('once it was tried, an edit waits for its acknowledgement', async () => {
  const [tab] = await openTabs(1, false);
  await tab.outbox.add(BOB, 'helo');
  const [{ clientId }] = tab.outbox.to(BOB);
  tab.outbox.setConnected(true);
  await settled();
  await change(tab.outbox, BOB, { clientId }, { edit: 'hello', seen: 0 });
  assert.deepEqual(tab.sent.map(({ message }) => message), ['helo']);
  await tab.answer(stored(5));
  assert.deepEqual(tab.sent[1].verb, { edit: 'hello', seen: 0 });
});

/** An offline tab in which a message was edited, and got a reaction, and was deleted; then it is online. */
async function tabThatDeletes() {
  const [tab] = await openTabs(1, false);
  const target = { seq: 5, conversationId: 9 };
  for (const verb of [{ edit: 'secret', seen: 0 }, { react: '+', on: true }, { delete: true }]) await change(tab.outbox, BOB, target, verb);
  await change(tab.outbox, BOB, { seq: 6, conversationId: 9 }, { pin: true });
  tab.outbox.setConnected(true);
  await settled();
  return tab;
}

const verbsSent = (tab) => tab.sent.map(({ verb }) => verb);

test('a deletion takes the place of what was to be done to the message', async () => {
  const tab = await tabThatDeletes();
  await tab.answer(changed(1));
  assert.deepEqual(verbsSent(tab), [{ delete: true }, { pin: true }]);
  assert.deepEqual(tab.outbox.to(BOB).map(({ verb }) => verb), [{ pin: true }]);
});

test('where the deletion is refused, what was done before is sent after all', async () => {
  const tab = await tabThatDeletes();
  await tab.answer(refused('forbidden'));
  await tab.answer(changed(1));
  await tab.answer(changed(2));
  assert.deepEqual(verbsSent(tab), [{ delete: true }, { edit: 'secret', seen: 0 }, { react: '+', on: true }, { pin: true }]);
});

test('an edit in a room that its writer has left is gone, and said', async () => {
  const [tab] = await openTabs(1);
  await change(tab.outbox, BOB, { seq: 5, conversationId: 9 }, { edit: 'mine', seen: 0 });
  await tab.answer(refused('not_found'));
  assert.equal(tab.outbox.length, 0);
  assert.equal(tab.toldOf('changeRefused').length, 1);
});

test('a refused reaction is gone, and said; a refused edit is kept', async () => {
  const [tab] = await openTabs(1);
  const target = { seq: 5, conversationId: 9 };
  await change(tab.outbox, BOB, target, { react: '+', on: true });
  await tab.answer(refused('forbidden'));
  assert.equal(tab.outbox.length, 0);
  await change(tab.outbox, BOB, target, { edit: 'mine', seen: 0 });
  await tab.answer(refused('conflict', { seq: 5, message: 'theirs', deleted: false }));
  assert.deepEqual(tab.outbox.to(BOB).map(({ state, verb }) => [state, verb.edit]), [['failed', 'mine']]);
  assert.equal(tab.toldOf('changeRefused').length, 2);
});

test('the edit of a message that was deleted meanwhile is nowhere', async () => {
  const [tab] = await openTabs(1);
  await change(tab.outbox, BOB, { seq: 5, conversationId: 9 }, { edit: 'mine', seen: 0 });
  await tab.answer(refused('conflict', { seq: 5, message: '', deleted: true }));
  assert.equal(tab.outbox.length, 0);
  await change(tab.outbox, BOB, { seq: 6, conversationId: 9 }, { edit: 'mine', seen: 0 });
  await tab.answer(refused('conflict', { seq: 6, message: 'theirs', deleted: false }));
  tab.outbox.messageDeleted(BOB, 6);
  assert.equal(tab.outbox.length, 0);
});

test('a message that has come from the server is sent, whatever becomes of its acknowledgement', async () => {
  const [tab] = await openTabs(1);
  await tab.outbox.add(BOB, 'hello');
  const { clientId } = tab.sent[0];
  await change(tab.outbox, BOB, { clientId }, { pin: true });
  tab.outbox.stored({ clientId, seq: 5, conversationId: 9 });
  await settled();
  assert.equal(tab.sent[1].target.seq, 5);
  tab.outbox.stored({ clientId: 'of another browser', seq: 6, conversationId: 9 });
  assert.deepEqual(tab.toldOf('sent').map(({ seq }) => seq), [5]);
});

test('another tab knows what a message is called that was sent here, and what was done to it there is sent', async () => {
  const [first, second] = await openTabs(2);
  second.outbox.setConnected(false);
  await first.outbox.add(BOB, 'hello');
  await settled();
  const { clientId } = first.sent[0];
  await change(second.outbox, BOB, { clientId }, { pin: true });
  await settled();
  await first.answer(stored(5));
  assert.equal(second.outbox.to(BOB)[0].target.seq, 5);
  assert.equal(first.sent[1].target.seq, 5);
  await first.answer(changed(1));
  assert.equal(second.outbox.length, 0);
  assert.equal(second.toldOf('changeSent').length, 1);
});
