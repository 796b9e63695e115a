/**
 * The outbox of one person: it stores what is written, sends it, and tells the person's other tabs.
 *
 * The rules (outbox.js) decide what is sent when; entries outlive the page in the browser's database (outbox-store.js);
 * one of the person's tabs sends for all of them (leader.js).
 */

import { addressOf, keyOf } from './address.js';
import { Leader } from './leader.js';
import { deleteDatabase, openBrowserStore, openMemoryStore } from './outbox-store.js';
import { Outbox, newClientId } from './outbox.js';

/** The number is that of what the tabs say to each other: a page of an earlier version would send a change as a message. */
const channelName = (ownerId) => `outbox:${ownerId}:2`;

export class Dispatcher {
  #outbox = new Outbox();
  #store = openMemoryStore();
  #loaded; // a promise: the store is open and read
  #removedIds = new Set(); // clientIds; the store may still hold them for a moment
  #unstored = new Set(); // clientIds of what the store has not taken
  #isConnected = false;
  #isClosed = false;
  #timer;
  #unrecorded = []; // steps that are not in the send log yet

  /**
   * `sendEntry(entry)` resolves to the acknowledgement or null. `on` holds the callbacks `sent(message)`, `changeSent({change, message})`,
   * `changeRefused(entry, ack)`, `changed()`, `storageFailed()` when entries end with the page, and `closed()` when the person has
   * logged out in another tab.
   */
  constructor(ownerId, sendEntry, on) {
    Object.assign(this, { ownerId, sendEntry, on });
    this.leader = new Leader(channelName(ownerId), { prepare: () => this.#sync().catch(() => {}), onLeading: () => this.#run() });
  }

  async open() {
    this.tabs = new BroadcastChannel(channelName(this.ownerId));
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

  changesOf(key, target) {
    return this.#outbox.changesOf(key, target);
  }

  waitingEdit(key, message) {
    return this.#outbox.waitingEdit(key, message);
  }

  get length() {
    return this.#outbox.length;
  }

  /** Whether there is something to send, and the network to do it. */
  get isSending() {
    return this.#isConnected && this.#outbox.isWaiting;
  }

  /**
   * Adds a message, which `to` returns from now on; `replyTo` names the one that it answers. Resolves when it is stored, or when
   * storing has failed.
   */
  add(key, message, replyTo = null) {
    // Offline nobody has tried to send it, so that it can still be edited or deleted here.
    const fields = { message, replyTo, isUntried: !this.#isConnected };
    const entry = this.#outbox.add({ clientId: newClientId(), ...addressOf(key, 'receiverId'), ...fields }, Date.now());
    this.#record(entry, {});
    return this.#enqueue(entry);
  }

  /** Adds what was done to a message: `target` names it, `{edit, seen}`, `{delete: true}`, `{react, on}` or `{pin}` is the `verb`. */
  async change(key, target, verb, basedOn = null) {
    if (await this.#amend(target.clientId, verb)) return;
    if (verb.delete) this.#outbox.changesOf(key, target).forEach(({ clientId }) => this.remove(clientId)); // they would be lost with it
    const entry = this.#outbox.add({ clientId: newClientId(), kind: 'change', ...addressOf(key, 'receiverId'), target, verb, basedOn }, Date.now());
    this.on.changed();
    await this.#enqueue(entry);
  }

  /** Edits or deletes a message that no tab has tried to send. Resolves to false if that cannot be. */
  async #amend(clientId, { edit, delete: isDeleted }) {
    const entry = this.#outbox.get(clientId);
    if (!entry?.isUntried || this.#outbox.isInFlight(entry) || (edit === undefined && !isDeleted)) return false;
    const change = (stored) => (!stored.isUntried ? undefined : isDeleted ? null : { ...stored, message: edit });
    const amended = await this.#store.amend(clientId, change).catch(() => undefined);
    if (amended === undefined) return false;
    if (isDeleted) this.remove(clientId);
    else this.#tellPut({ ...amended });
    return true;
  }

  #tellPut(entry) {
    this.#outbox.put(entry);
    this.tabs.postMessage({ type: 'put', entry });
    this.on.changed();
  }

  /** Sends a failed entry again; `fields` of it are new. */
  retry(clientId, fields) {
    const entry = this.#outbox.retry(clientId, Date.now(), fields);
    if (entry) this.#enqueue(entry);
    this.on.changed();
  }

  remove(clientId) {
    for (const { clientId: id } of this.#changesOfUnsent(clientId)) this.#delete(id);
    this.#delete(clientId);
    this.tabs.postMessage({ type: 'removed', clientId });
    this.on.changed();
  }

  /** The server has deleted a message: what was to be made of its text is nowhere either. */
  messageDeleted(key, seq) {
    for (const { state, clientId } of this.#outbox.changesOf(key, { seq })) if (state === 'failed') this.remove(clientId);
  }

  #changesOfUnsent(clientId) {
    const entry = this.#outbox.get(clientId);
    return entry ? this.#outbox.changesOf(keyOf(entry), { clientId }) : [];
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
    this.#outbox.take(Date.now()).forEach((entry) => this.#deliver(entry));
    const delay = this.#outbox.nextAt() - Date.now();
    if (delay < Infinity) this.#timer = setTimeout(() => this.#run(), Math.max(0, delay));
  }

  async #deliver(entry) {
    if (entry.isUntried && !(await this.#claim(entry))) {
      this.#outbox.release(entry);
      return this.#run();
    }
    this.#record(entry, { sent: Date.now() });
    const ack = await this.sendEntry(entry);
    const naming = this.#outbox.naming(entry.clientId);
    const outcome = this.#outbox.settle(entry, ack, Date.now());
    if (outcome === 'sent') this.#sent(entry, ack, naming);
    else if (outcome === 'failed') await this.#refused(entry, ack);
    this.#run();
  }

  /** Says in the store that a message is being sent: from now on it can be changed at the server only. False if it was deleted. */
  async #claim(entry) {
    const claimed = await this.#store.amend(entry.clientId, (stored) => ({ ...stored, isUntried: false })).catch(() => ({}));
    Object.assign(entry, claimed, { attempts: entry.attempts, isUntried: false });
    const isThere = Boolean(claimed || this.#unstored.has(entry.clientId));
    if (isThere && this.#outbox.get(entry.clientId)) this.tabs.postMessage({ type: 'put', entry });
    return isThere;
  }

  /** A message of one's own has come as the server has it: whatever becomes of its acknowledgement, it is sent. */
  stored(message) {
    const entry = this.#outbox.get(message.clientId);
    if (!entry) return;
    const naming = this.#outbox.naming(entry.clientId);
    this.#outbox.settle(entry, { ok: true, message }, Date.now());
    this.#sent(entry, { message }, naming);
    this.#run();
  }

  /** `naming` are the entries that now know what the server calls this one: they are stored in one step with its end. */
  #sent(entry, { message, change }, naming) {
    const { clientId } = entry;
    this.#record(entry, { acknowledged: Date.now() });
    this.#removedIds.add(clientId);
    this.#store.replace(clientId, naming).catch(() => this.on.storageFailed());
    this.tabs.postMessage({ type: 'sent', clientId, message, change });
    this.#tellSent(message, change);
    this.on.changed();
  }

  #tellSent(message, change) {
    if (change) this.on.changeSent({ change, message });
    else this.on.sent(message);
  }

  /** What was done to a message and refused is gone, but for a text that was written. */
  async #refused(entry, ack) {
    if (!this.#outbox.get(entry.clientId)) return; // it was removed meanwhile
    const isKept = !entry.verb || (entry.verb.edit !== undefined && !ack.message?.deleted);
    if (isKept) await this.#save(entry);
    else this.remove(entry.clientId);
    if (entry.verb) {
      this.tabs.postMessage({ type: 'refused', entry, ack });
      this.on.changeRefused(entry, ack);
    }
    this.on.changed();
  }

  async #save(entry) {
    await this.#loaded;
    if (this.#isClosed) return;
    await this.#store.put(entry).then(() => this.#unstored.delete(entry.clientId), () => {
      this.#unstored.add(entry.clientId);
      this.on.storageFailed();
    });
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

  async #receiveFromTab({ type, entry, clientId, ack, message, change }) {
    if (type === 'put') {
      await this.#sync().catch(() => {}); // entries that were written before this one go before it
      if (!this.#removedIds.has(entry.clientId)) this.#outbox.put(entry);
      if (this.#removedIds.has(entry.target?.clientId)) this.remove(entry.clientId); // what it was done to was deleted here
    }
    if (type === 'removed') this.#drop(clientId);
    if (type === 'closed') {
      this.#isClosed = true;
      return this.on.closed();
    }
    if (type === 'sent') {
      this.#removedIds.add(clientId);
      this.#outbox.acknowledged(clientId, { message, change });
      this.#tellSent(message, change);
    }
    if (type === 'refused') this.on.changeRefused(entry, ack);
    this.on.changed();
    this.#run();
  }

  /** Records a step in the send log. Its module is loaded when it is first needed: without a network, later. */
  async #record({ clientId, createdAt, kind }, step) {
    if (kind === 'change') return;
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
