/**
 * A world of virtual time for the outbox and the log: a sender, a server and readers, and a network
 * between them that loses, delays, repeats and reorders. The sender writes to people and in rooms; in the
 * rooms others write too, and from one of them the sender may be removed. Everything follows from one seed.
 */

import assert from 'node:assert/strict';

import { keyOf } from '../../chat/static/js/address.js';

const ACKNOWLEDGEMENT_MS = 4_000;
const HEARTBEAT_MS = 15_000;
const CHAOS_MS = 60_000;
const CALM_MS = 45_000;
const PAGE_LENGTH = 7; // short, so that a jump takes several pages
const ADDRESSES = [{ receiverId: 2 }, { receiverId: 3 }, { conversationId: 2 }, { conversationId: 3 }]; // rooms may have a person's number
const KEYS = ADDRESSES.map(keyOf);
const [FRIEND, , ROOM, LEFT_ROOM] = KEYS;
const READ = [FRIEND, ROOM]; // what somebody else has open

/** mulberry32: the same numbers between 0 and 1 for the same seed. */
export function generator(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

class World {
  now = 0;
  events = [];
  isCalm = false;

  constructor(seed) {
    this.random = generator(seed);
    this.lossRate = this.random() * 0.5;
    this.repeatRate = this.random() * 0.3;
  }

  after(delay, action) {
    this.events.push({ at: this.now + delay, action });
  }

  runUntil(end) {
    for (;;) {
      let next = -1;
      for (let index = 0; index < this.events.length; index += 1) {
        if (this.events[index].at <= end && (next < 0 || this.events[index].at < this.events[next].at)) next = index;
      }
      if (next < 0) break;
      const [{ at, action }] = this.events.splice(next, 1);
      this.now = at;
      action();
    }
    this.now = end;
  }

  chance(rate) {
    return this.random() < rate;
  }

  /** Brings something to the other side: perhaps never, perhaps twice, perhaps after what follows it. */
  carry(action) {
    if (!this.isCalm && this.chance(this.lossRate)) return;
    const copies = !this.isCalm && this.chance(this.repeatRate) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      const isSlow = !this.isCalm && this.chance(0.1);
      this.after(this.random() * (isSlow ? 8_000 : 100), action);
    }
  }
}

/** Stores under a gapless seq, once for each clientId, and refuses what is called "bad", and who is no member of a room. */
class Server {
  logs = new Map(KEYS.map((key) => [key, []]));
  isMember = true; // of the room that the sender may be removed from

  constructor(world) {
    this.world = world;
    this.onStored = () => {};
  }

  store({ clientId, receiverId, conversationId, message }) {
    if (!this.world.isCalm && this.world.chance(0.1)) return { ok: false, error: { code: 'unavailable', retry: true } };
    if (message === 'bad') return { ok: false, error: { code: 'invalid', message: 'No', retry: false } };
    const key = keyOf({ receiverId, conversationId });
    const known = this.logs.get(key).find((row) => row.clientId === clientId);
    if (known) return { ok: true, message: known };
    if (key === LEFT_ROOM && !this.isMember) return { ok: false, error: { code: 'not_found', message: 'Not found', retry: false } };
    return { ok: true, message: this.append(key, clientId, message) };
  }

  append(key, clientId, message) {
    const log = this.logs.get(key);
    const row = { seq: log.length + 1, clientId, message };
    log.push(row);
    this.onStored(key, row);
    return row;
  }
}

/** A person's outbox in as many tabs; without Web Locks all of them send. */
class Sender {
  kept = new Map(); // what IndexedDB holds
  written = [];
  deleted = new Set();
  lives = 0;

  constructor(world, server, Outbox, tabCount) {
    Object.assign(this, { world, server, Outbox });
    this.tabs = Array.from({ length: tabCount }, () => this.openTab());
  }

  openTab() {
    const entries = [...this.kept.values()].map((entry) => ({ ...entry }));
    return { outbox: new this.Outbox(entries), life: (this.lives += 1) };
  }

  isAlive(tab) {
    return this.tabs.includes(tab);
  }

  write(address, message) {
    const tab = this.tabs[Math.floor(this.world.random() * this.tabs.length)];
    const clientId = `${this.written.length}`;
    const entry = tab.outbox.add({ clientId, ...address, message }, this.world.now);
    this.written.push({ clientId, key: keyOf(address), message });
    this.keep(entry);
    this.run(tab);
  }

  keep(entry) {
    this.kept.set(entry.clientId, { ...entry });
    for (const tab of this.tabs) tab.outbox.put({ ...entry });
  }

  forget(clientId) {
    this.kept.delete(clientId);
    for (const tab of this.tabs) tab.outbox.remove(clientId);
  }

  run(tab) {
    if (!this.isAlive(tab)) return;
    for (const entry of tab.outbox.take(this.world.now)) this.send(tab, entry);
    const wait = tab.outbox.nextAt() - this.world.now;
    if (wait < Infinity && !(tab.wakesAt > this.world.now && tab.wakesAt <= this.world.now + wait)) {
      tab.wakesAt = this.world.now + Math.max(1, wait);
      this.world.after(Math.max(1, wait), () => this.run(tab));
    }
  }

  send(tab, entry) {
    const sameConversation = tab.outbox.to(keyOf(entry)).filter((other) => other.state === 'waiting');
    assert.equal(sameConversation[0].clientId, entry.clientId, 'the first of a conversation goes first');
    let isSettled = false;
    const settle = (answer) => {
      if (isSettled || !this.isAlive(tab)) return;
      isSettled = true;
      const outcome = tab.outbox.settle(entry, answer, this.world.now);
      if (outcome === 'sent') this.forget(entry.clientId);
      if (outcome === 'failed' && this.kept.has(entry.clientId)) this.keep(entry);
      this.run(tab);
    };
    this.world.after(ACKNOWLEDGEMENT_MS, () => settle(null));
    this.world.carry(() => {
      const answer = this.server.store(entry);
      this.world.carry(() => settle(answer));
    });
  }

  /** Ends a tab between two instants; another opens with what the store holds. */
  crash() {
    const index = Math.floor(this.world.random() * this.tabs.length);
    this.tabs[index] = this.openTab();
    this.run(this.tabs[index]);
  }

  /** The person looks at what failed, and retries or deletes it. */
  settleFailed() {
    const [tab] = this.tabs;
    const failed = KEYS.flatMap((key) => tab.outbox.to(key)).find((entry) => entry.state === 'failed');
    if (!failed) return;
    if (this.world.chance(0.5)) {
      this.keep(tab.outbox.retry(failed.clientId, this.world.now));
      this.run(tab);
    } else {
      this.deleted.add(failed.clientId);
      this.forget(failed.clientId);
    }
  }

  networkReturned() {
    for (const tab of this.tabs) {
      tab.outbox.networkReturned();
      this.run(tab);
    }
  }
}

/** Somebody else's tab of one conversation: pushes are hints, a jump is fetched, the heartbeat shows a lost tail. */
class Reader {
  shown = [];
  isFetching = false;

  constructor(world, server, SeqWindow, key) {
    Object.assign(this, { world, server, key });
    this.log = new SeqWindow({ first: 1, last: 0 });
    this.beat();
  }

  beat() {
    this.world.after(HEARTBEAT_MS, () => this.beat());
    this.askHead();
  }

  askHead() {
    this.world.carry(() => {
      const head = this.stored.length;
      this.world.carry(() => this.receive([], head));
    });
  }

  get stored() {
    return this.server.logs.get(this.key);
  }

  receive(messages, head) {
    const { show, fetch } = this.log.receive(messages, head);
    this.shown.push(...show);
    const last = this.shown.at(-1);
    if (show.length) assert.equal(last.seq, this.shown.length, 'what is shown is a run without a hole or a repeat');
    if (fetch && !this.isFetching) this.fetch(fetch);
  }

  fetch({ after }) {
    this.isFetching = true;
    let isAnswered = false;
    const answered = (messages, head) => {
      if (isAnswered) return;
      isAnswered = true;
      this.isFetching = false;
      this.receive(messages, head);
    };
    this.world.after(ACKNOWLEDGEMENT_MS, () => answered([], 0));
    this.world.carry(() => {
      const page = this.stored.slice(after, after + PAGE_LENGTH);
      const head = this.stored.length;
      this.world.carry(() => answered(page, head));
    });
  }
}

/** Lives one schedule and checks what the delivery contract promises. Throws on the first breach. */
export function simulate(seed, { Outbox, SeqWindow }) {
  const world = new World(seed);
  const server = new Server(world);
  const sender = new Sender(world, server, Outbox, world.chance(0.3) ? 2 : 1);
  const readers = READ.map((key) => new Reader(world, server, SeqWindow, key));
  server.onStored = (key, row) => {
    for (const reader of readers.filter((one) => one.key === key)) world.carry(() => reader.receive([row]));
  };
  const count = 5 + Math.floor(world.random() * 25);
  for (let index = 0; index < count; index += 1) {
    const address = ADDRESSES[Math.floor(world.random() * ADDRESSES.length)];
    const message = world.chance(0.1) ? 'bad' : 'good';
    world.after(world.random() * CHAOS_MS, () => sender.write(address, message));
    if (world.chance(0.3)) world.after(world.random() * CHAOS_MS, () => server.append(ROOM, `other ${index}`, 'of another member'));
  }
  if (world.chance(0.3)) world.after(world.random() * CHAOS_MS, () => { server.isMember = false; });
  for (let crash = 0; crash < 4; crash += 1) world.after(world.random() * CHAOS_MS, () => sender.crash());
  for (let look = 0; look < 4; look += 1) world.after(world.random() * CHAOS_MS, () => sender.settleFailed());
  world.runUntil(CHAOS_MS);
  world.isCalm = true;
  sender.networkReturned();
  for (const reader of readers) reader.askHead();
  world.runUntil(CHAOS_MS + CALM_MS);
  check(server, sender, readers);
}

function check(server, sender, readers) {
  const stored = KEYS.flatMap((key) => server.logs.get(key).map((row) => ({ ...row, key })));
  const names = stored.map((row) => row.clientId);
  assert.equal(new Set(names).size, names.length, 'nothing is stored twice');
  for (const { clientId, key, message } of sender.written) {
    const waits = sender.tabs[0].outbox.get(clientId);
    const row = stored.find((one) => one.clientId === clientId);
    const mayBeRefused = message === 'bad' || (key === LEFT_ROOM && !server.isMember);
    assert.ok(row || mayBeRefused, 'what was written is stored');
    if (row) {
      assert.equal(row.key, key, 'in the conversation that it was written to');
      assert.equal(waits, undefined, 'what is acknowledged has left the outbox');
    } else if (!sender.deleted.has(clientId)) {
      assert.equal(waits?.state, 'failed', 'what was refused is visibly not sent');
      assert.equal(keyOf(waits), key);
    }
  }
  for (const key of KEYS) {
    const order = server.logs.get(key).map((row) => Number(row.clientId)).filter((number) => !Number.isNaN(number));
    assert.deepEqual(order, [...order].sort((a, b) => a - b), 'messages keep their order');
  }
  for (const reader of readers) assert.deepEqual(reader.shown, reader.stored, 'the reader has caught up');
}
