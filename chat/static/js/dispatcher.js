/**
 * The outbox of one person: it stores what is written, sends it, and tells the person's other tabs.
 *
 * The rules (outbox.js) decide what is sent when; entries outlive the page in the browser's database (outbox-store.js);
 * one of the person's tabs sends for all of them (leader.js).
 */

import { addressOf } from './address.js';
import { Leader } from './leader.js';
import { deleteDatabase, openBrowserStore, openMemoryStore } from './outbox-store.js';
import { Outbox, newClientId } from './outbox.js';

export class Dispatcher {
  #outbox = new Outbox();
  #store = openMemoryStore();
  #loaded; // a promise: the store is open and read
  #removedIds = new Set(); // clientIds; the store may still hold them for a moment
  #isConnected = false;
  #isClosed = false;
  #timer;
  #unrecorded = []; // steps that are not in the send log yet

  /**
   * `sendMessage(entry)` resolves to the acknowledgement or null. `on` holds the callbacks `sent(message)`, `changed()`,
   * `storageFailed()` when entries end with the page, and `closed()` when the person has logged out in another tab.
   */
  constructor(ownerId, sendMessage, on) {
    Object.assign(this, { ownerId, sendMessage, on });
    this.leader = new Leader(`outbox:${ownerId}`, { prepare: () => this.#sync().catch(() => {}), onLeading: () => this.#run() });
  }

  async open() {
    this.tabs = new BroadcastChannel(`outbox:${this.ownerId}`);
    this.tabs.onmessage = ({ data }) => this.#receiveFromTab(data);
    this.#loaded = this.#load();
    await this.#loaded;
    this.on.changed();
    this.leader.queue();
  }

  async #load() {
    try {
      this.#store = await openBrowserStore(this.ownerId);
      await this.#sync();
    } catch {
      this.on.storageFailed();
    }
  }

  /** Reads what other tabs have stored: one may have been closed before it could tell. */
  async #sync() {
    for (const entry of await this.#store.all()) {
      const isNew = !this.#outbox.get(entry.clientId) && !this.#removedIds.has(entry.clientId);
      if (isNew) this.#outbox.put({ ...entry, attempts: 0 });
    }
  }

  to(key) {
    return this.#outbox.to(key);
  }

  get length() {
    return this.#outbox.length;
  }

  /** Whether there is something to send, and the network to do it. */
  get isSending() {
    return this.#isConnected && this.#outbox.isWaiting;
  }

  /** Adds a message, which `to` returns from now on. Resolves when it is stored, or when storing has failed. */
  add(key, message) {
    const entry = this.#outbox.add({ clientId: newClientId(), ...addressOf(key, 'receiverId'), message }, Date.now());
    this.#record(entry, {});
    return this.#enqueue(entry);
  }

  retry(clientId) {
    const entry = this.#outbox.retry(clientId, Date.now());
    if (entry) this.#enqueue(entry);
    this.on.changed();
  }

  remove(clientId) {
    this.#delete(clientId);
    this.tabs.postMessage({ type: 'removed', clientId });
    this.on.changed();
  }

  async #enqueue(entry) {
    await this.#save(entry);
    this.becomeLeader();
    this.#run();
  }

  /** Lets this tab send: the person is here. */
  becomeLeader() {
    this.leader.becomeLeader();
  }

  /** A new connection sends at once what waited for it. */
  setConnected(isConnected) {
    this.#isConnected = isConnected;
    if (isConnected) this.#outbox.networkReturned();
    this.#run();
  }

  /** Sends what is due, and sets a timer for what is due later. */
  #run() {
    clearTimeout(this.#timer);
    if (!this.leader.isLeading || !this.#isConnected || this.#isClosed) return;
    for (const entry of this.#outbox.take(Date.now())) {
      this.#record(entry, { sent: Date.now() });
      this.#deliver(entry);
    }
    const delay = this.#outbox.nextAt() - Date.now();
    if (delay < Infinity) this.#timer = setTimeout(() => this.#run(), Math.max(0, delay));
  }

  async #deliver(entry) {
    const ack = await this.sendMessage(entry);
    const outcome = this.#outbox.settle(entry, ack, Date.now());
    if (outcome === 'sent') {
      this.#record(entry, { acknowledged: Date.now() });
      this.#delete(entry.clientId);
      this.tabs.postMessage({ type: 'sent', message: ack.message });
      this.on.sent(ack.message);
    } else if (outcome === 'failed') {
      await this.#save(entry);
      this.on.changed();
    }
    this.#run();
  }

  async #save(entry) {
    await this.#loaded;
    if (this.#isClosed) return;
    await this.#store.put(entry).catch(() => this.on.storageFailed());
    // Meanwhile it may have been sent and removed: then the other tabs must not get it back.
    if (this.#outbox.get(entry.clientId)) this.tabs.postMessage({ type: 'put', entry });
  }

  #delete(clientId) {
    this.#drop(clientId);
    this.#store.remove(clientId).catch(() => this.on.storageFailed());
  }

  #drop(clientId) {
    this.#removedIds.add(clientId);
    this.#outbox.remove(clientId);
  }

  async #receiveFromTab({ type, entry, message, clientId }) {
    if (type === 'put') {
      await this.#sync().catch(() => {}); // entries that were written before this one go before it
      if (!this.#removedIds.has(entry.clientId)) this.#outbox.put(entry);
    }
    if (type === 'removed') this.#drop(clientId);
    if (type === 'closed') {
      this.#isClosed = true;
      return this.on.closed();
    }
    if (type === 'sent') {
      this.#drop(message.clientId);
      this.on.sent(message);
    }
    this.on.changed();
    this.#run();
  }

  /** Records a step in the send log. Its module is loaded when it is first needed: without a network, later. */
  async #record({ clientId, createdAt }, step) {
    this.#unrecorded.push({ clientId, written: createdAt, ...step });
    if (this.#isClosed) return;
    const sendLog = await import('./send-log.js').catch(() => null);
    await sendLog?.recordSteps(this.#unrecorded.splice(0)).catch(() => {});
  }

  /** The person has logged out: from now on no tab sends or stores anything. */
  close() {
    this.#isClosed = true;
    this.tabs.postMessage({ type: 'closed' });
  }

  /** Deletes what the browser has stored for the person. Never fails: where deleting fails, nothing was stored. */
  async deleteStored() {
    await this.#loaded;
    await deleteDatabase(this.ownerId).catch(() => {});
  }
}
