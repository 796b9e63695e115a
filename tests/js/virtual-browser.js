/**
 * A browser of virtual time, as far as shared-connection.js asks for one: timers, BroadcastChannel, Web Locks, and tabs
 * that sleep and close. Everything follows from one seed.
 */

import { generator } from './world.js';

const CHANNEL_MS = 5;

/** Runs what happens in a tab, one thing after the other, with the globals of its page. */
export class World {
  now = 0;
  events = [];
  lastAt = new Map(); // sender → receiver → when its latest message arrives: they keep their order
  channels = new Set();
  locks = new Map(); // name → {holder, queue}
  tab = null; // whose code runs

  constructor(seed) {
    this.random = generator(seed);
  }

  after(delay, tab, action) {
    const event = { at: this.now + delay, tab, action };
    this.events.push(event);
    return event;
  }

  async runUntil(end) {
    for (;;) {
      const next = this.events.reduce((first, event) => (event.at <= end && !(first?.at <= event.at) ? event : first), null);
      if (!next) break;
      this.events.splice(this.events.indexOf(next), 1);
      this.now = next.at;
      await this.run(next);
    }
    this.now = end;
  }

  async run(event) {
    const { tab, action } = event;
    if (event.isCancelled || tab?.isClosed) return;
    if (tab?.isAsleep) return void tab.backlog.push(event);
    this.tab = tab;
    globalThis.document = tab?.document;
    action();
    await new Promise(setImmediate); // all that follows from it without waiting
  }

  /** Puts in place of the browser's own what the module under test asks for. */
  installGlobals() {
    const world = this;
    globalThis.setTimeout = (action, delay, ...values) => this.after(delay, this.tab, () => action(...values));
    globalThis.clearTimeout = (timer) => timer && (timer.isCancelled = true);
    globalThis.setInterval = (action, delay) => {
      const timer = { isCancelled: false };
      const { tab } = this;
      const again = () => this.after(delay, tab, () => timer.isCancelled || (action(), again()));
      again();
      return timer;
    };
    globalThis.clearInterval = globalThis.clearTimeout;
    Date.now = () => this.now;
    globalThis.BroadcastChannel = class {
      constructor(name) {
        Object.assign(this, { name, tab: world.tab });
        world.channels.add(this);
      }

      postMessage(data) {
        for (const other of world.channels) if (other !== this && other.name === this.name) world.carry(this, other, structuredClone(data));
      }

      close() {
        world.channels.delete(this);
      }
    };
    Object.defineProperty(globalThis, 'navigator', { configurable: true, value: { locks: { request: (...request) => this.requestLock(...request) } } });
  }

  carry(from, to, data) {
    if (!this.lastAt.has(from)) this.lastAt.set(from, new Map());
    const at = Math.max(this.lastAt.get(from).get(to) ?? 0, this.now + this.random() * CHANNEL_MS);
    this.lastAt.get(from).set(to, at);
    this.after(at - this.now, to.tab, () => this.channels.has(to) && to.onmessage({ data }));
  }

  requestLock(name, { steal, signal }, callback) {
    const lock = this.locks.get(name) ?? { holder: null, queue: [] };
    this.locks.set(name, lock);
    const request = { tab: this.tab, callback };
    const settled = new Promise((resolve, reject) => Object.assign(request, { resolve, reject }));
    signal?.addEventListener('abort', () => {
      lock.queue = lock.queue.filter((other) => other !== request);
      if (lock.holder !== request) request.reject(abortError());
    });
    if (steal) {
      const { holder } = lock;
      if (holder) this.after(0, holder.tab, () => holder.reject(abortError())).isOfLock = true; // may be heard after the network
      this.grant(lock, request);
    } else {
      lock.queue.push(request);
      if (!lock.holder) this.grant(lock, lock.queue.shift());
    }
    return settled;
  }

  grant(lock, request) {
    lock.holder = request ?? null;
    if (!request) return;
    this.after(this.random() * CHANNEL_MS, request.tab, async () => {
      const result = await request.callback();
      request.resolve(result);
      if (lock.holder === request) this.grant(lock, lock.queue.shift());
    });
  }

  /** A tab ends: its locks are free, and its channels closed. */
  close(tab) {
    tab.isClosed = true;
    tab.drop();
    for (const channel of this.channels) if (channel.tab === tab) this.channels.delete(channel);
    for (const lock of this.locks.values()) {
      lock.queue = lock.queue.filter((request) => request.tab !== tab);
      if (lock.holder?.tab === tab) this.grant(lock, lock.queue.shift());
    }
  }
}

const abortError = () => Object.assign(new Error(), { name: 'AbortError' });
