/**
 * A world of virtual time for the outbox and the log: a sender, a server and readers, and a network
 * between them that loses, delays, repeats and reorders. The sender writes to people and in rooms, and changes messages; in the
 * rooms others write too, and from one of them the sender may be removed. Everything follows from one seed.
 */

import assert from 'node:assert/strict';

import { keyOf } from '../../chat/static/js/address.js';
import { ADDRESSES, FRIEND, KEYS, LEFT_ROOM, ROOM, Server } from './chat-server.js';
import { Reader } from './reader.js';
import { Sender } from './sender.js';
import { World } from './world.js';

const CHAOS_MS = 60_000;
const CALM_MS = 60_000;
const AWAY_MS = 10_000;
const READ = [FRIEND, ROOM]; // what somebody else has open

/** Lives one schedule and checks what the delivery contract promises. Throws on the first violation. */
export function simulate(seed, { Outbox, ...parts }) {
  const world = new World(seed);
  const server = new Server(world);
  const sender = new Sender(world, server, Outbox, world.chance(0.3) ? 2 : 1);
  const readers = READ.map((key) => new Reader(world, server, parts, key));
  const tell = (key, action) => readers.filter((one) => one.key === key).forEach((reader) => world.carry(() => reader.hear(action)));
  server.onStored = (key, row) => tell(key, (reader) => reader.receive([row]));
  server.onChanged = (key, number, row) => tell(key, (reader) => reader.changed(number, row));
  const sometime = (action) => world.after(world.random() * CHAOS_MS, action);
  const anyAddress = () => ADDRESSES[Math.floor(world.random() * ADDRESSES.length)];
  const count = 5 + Math.floor(world.random() * 25);
  for (let index = 0; index < count; index += 1) {
    const address = anyAddress();
    const message = world.chance(0.1) ? 'bad' : 'good';
    sometime(() => sender.write(address, message));
    if (world.chance(0.3)) sometime(() => writeElsewhere(server, index));
    sometime(() => sender.change(anyAddress()));
    if (world.chance(0.3)) sometime(() => changeElsewhere(world, server, index));
  }
  for (const reader of readers) {
    if (world.chance(0.5)) sometime(() => reader.open());
    if (world.chance(0.5)) sometime(() => goAway(world, server, reader));
  }
  if (world.chance(0.3)) sometime(() => { server.isMember = false; });
  for (let crash = 0; crash < 4; crash += 1) sometime(() => sender.crash());
  for (let look = 0; look < 4; look += 1) sometime(() => sender.settleFailed());
  world.runUntil(CHAOS_MS);
  world.isCalm = true;
  sender.networkReturned();
  for (const reader of readers) {
    reader.isAway = false;
    reader.askHead();
  }
  world.runUntil(CHAOS_MS + CALM_MS);
  checkMessages(server, sender);
  checkChanges(server, sender);
  checkOrder(server, sender);
  for (const reader of readers) assert.deepEqual(reader.shown, reader.stored, 'the reader has caught up');
}

/** Somebody else writes and mends it at once. */
function writeElsewhere(server, index) {
  const { seq } = server.append(ROOM, { clientId: `other ${index}`, message: 'of another member' });
  server.change(ROOM, { clientId: `mended ${index}`, target: { seq }, verb: { edit: 'mended', seen: 0 } }, true);
}

/** A reader hears nothing for a while, in which each message is changed. */
function goAway(world, server, reader) {
  const { key } = reader;
  reader.isAway = true;
  server.logs.get(key).forEach(({ seq }) => {
    const clientId = `meanwhile ${world.now} ${seq}`;
    server.change(key, { clientId, target: { seq }, verb: { react: 'wave', on: true } }, true);
  });
  world.after(AWAY_MS, () => { reader.isAway = false; });
}

/** The person changes a message at another device, whose outbox is not looked at. */
function changeElsewhere(world, server, index) {
  const key = READ[Math.floor(world.random() * READ.length)];
  const log = server.logs.get(key);
  const row = log[Math.floor(world.random() * log.length)];
  if (!row) return;
  const isDeletion = world.chance(0.3);
  const verb = isDeletion ? { delete: true } : world.chance(0.5) ? { react: 'wave', on: true } : { edit: `elsewhere ${index}`, seen: row.lastChange };
  server.change(key, { clientId: `elsewhere ${index}`, target: { seq: row.seq }, verb }, true);
}

function checkMessages(server, sender) {
  const stored = KEYS.flatMap((key) => server.logs.get(key).map((row) => ({ ...row, key })));
  assert.equal(new Set(server.taken).size, server.taken.length, 'nothing is stored twice');
  for (const { clientId, key, message, answers } of sender.written) {
    const waits = sender.tabs[0].outbox.get(clientId);
    const row = stored.find((one) => one.clientId === clientId);
    const mayBeRefused = message === 'bad' || (key === LEFT_ROOM && !server.isMember);
    assert.ok(row || mayBeRefused || sender.deleted.has(clientId), 'what was written is stored');
    if (row) {
      assert.equal(row.key, key, 'in the conversation that it was written to');
      assert.equal(waits, undefined, 'what is acknowledged has left the outbox');
      if (answers && row.replyTo) assert.equal(server.logs.get(key)[row.replyTo - 1].clientId, answers, 'a reply quotes what it answers');
      const isQuotedThere = answers && stored.some((one) => one.clientId === answers && one.seq < row.seq) && !sender.refused.has(answers);
      if (isQuotedThere) assert.ok(row.replyTo, 'a reply quotes what is there');
    } else if (!sender.deleted.has(clientId)) {
      assert.equal(waits?.state, 'failed', 'what was refused is visibly not sent');
      assert.equal(keyOf(waits), key);
    }
  }
}

function checkChanges(server, sender) {
  for (const { clientId, key, verb, about } of sender.done) {
    const { outbox } = sender.tabs[0];
    const waits = outbox.get(clientId);
    const isUnsent = outbox.get(about)?.state === 'failed' || sender.deleted.has(about);
    if (server.taken.includes(clientId)) {
      assert.equal(waits, undefined, 'a change that is acknowledged has left the outbox');
      const { seq } = server.changes.get(key).find((change) => change.clientId === clientId);
      assert.equal(server.logs.get(key)[seq - 1].clientId, about, 'what was done to a message was done to this one');
    } else if (!sender.deleted.has(clientId) && !isUnsent) {
      const row = server.logs.get(key).find((one) => one.clientId === about);
      const mayBeRefused = row?.isTouchedElsewhere || row?.deleted || verb.edit === 'bad' || (key === LEFT_ROOM && !server.isMember);
      assert.ok(mayBeRefused, `what was done is stored: ${clientId}`);
      assert.ok(sender.refused.has(clientId) || waits?.state === 'failed', 'what was refused is said');
      if (verb.edit !== undefined && !row?.deleted && !sender.gone.has(clientId)) assert.equal(waits?.verb.edit, verb.edit, 'a text that was refused is kept');
    }
  }
}

/** A change of a message that is sent again is done after that. */
function checkOrder(server, sender) {
  const places = new Map([...sender.written, ...sender.done].map((one) => [one.clientId, one]));
  const orderOf = (clientId) => {
    const { about } = places.get(clientId);
    return Math.max(sender.order.get(clientId), places.has(about) ? orderOf(about) : 0);
  };
  for (const key of KEYS) {
    const isLate = (clientId) => sender.deleted.has(clientId) || sender.held.has(clientId); // it may have been on its way
    const isLooked = (clientId) => places.get(clientId)?.key === key && !isLate(clientId);
    const order = server.taken.filter(isLooked).map(orderOf);
    assert.deepEqual(order, [...order].sort((a, b) => a - b), 'messages and changes keep their order');
  }
}
