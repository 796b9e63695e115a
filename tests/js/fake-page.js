/** A page for modules that ask for one: the globals of a browser with IndexedDB, locks, and requests that a FileServer answers. */

import { fakeIndexedDb } from './fake-indexeddb.js';

globalThis.document ??= { documentElement: { lang: 'en' }, body: { dataset: { userId: '1' } }, querySelector: () => ({ content: 'token' }) };
globalThis.location ??= { assign: (url) => left.push(url), pathname: '/', search: '' };
globalThis.navigator ??= {};
globalThis.indexedDB ??= fakeIndexedDb;

/** Time limits, of requests that a test never answers, do not keep its process alive. */
const { setTimeout: realTimeout } = globalThis;
globalThis.setTimeout = (action, delay, ...values) => {
  const timer = realTimeout(action, delay, ...values);
  return delay >= 1_000 ? timer.unref() : timer;
};

/** The addresses that the page has gone to. */
export const left = [];

/** The methods of the requests that were aborted. */
export const aborted = [];

/** Web Locks: `request(name, {signal}, action)`; what waits for a lock gets it when the one before has finished, or its tab has died. */
export class FakeLocks {
  #queues = new Map(); // name → [{tab, run}], the first of which holds the lock
  tab = null; // whose script runs

  request(name, { signal }, action) {
    const queue = this.#queues.get(name) ?? [];
    this.#queues.set(name, queue);
    return new Promise((resolve, reject) => {
      const entry = { tab: this.tab, run: () => Promise.resolve(action()).then(resolve, reject).finally(() => this.#leave(queue, entry)) };
      signal?.addEventListener('abort', () => {
        if (queue[0] !== entry) this.#leave(queue, entry);
        reject(signal.reason);
      });
      if (queue.push(entry) === 1) entry.run();
    });
  }

  #leave(queue, entry) {
    const at = queue.indexOf(entry);
    if (at < 0) return;
    queue.splice(at, 1);
    if (at === 0) queue[0]?.run();
  }

  die(tab) {
    for (const queue of this.#queues.values()) for (const entry of queue.filter((one) => one.tab === tab)) this.#leave(queue, entry);
  }
}

/** Lets `server` answer all requests. `onRequest(method, url)` is called with each; a promise that it returns holds the request up. */
export function answerRequests(server, onRequest = () => {}) {
  globalThis.XMLHttpRequest = class {
    upload = {};
    status = 0;

    open(method, url) { Object.assign(this, { method, url }); }

    setRequestHeader() {}

    async send(body) {
      const held = onRequest(this.method, this.url);
      if (held) await held;
      if (this.isAborted) return;
      const answer = await server.answer(this.method, this.url, body);
      if (this.isAborted) return;
      if (body) this.upload.onprogress?.({ loaded: body.size });
      Object.assign(this, answer && { status: answer.status, response: answer.data });
      this.onloadend();
    }

    abort() {
      if (this.isAborted) return;
      this.isAborted = true;
      if (this instanceof globalThis.XMLHttpRequest) aborted.push(this.method); // else a tab of an earlier test has ended late
      this.onloadend();
    }
  };
}
