/**
 * The outbox of one person. It stores what is written, sends it, and tells the person's other tabs (outbox-tabs.js).
 *
 * The rules (outbox.js) decide what is sent when. Entries outlive the page in the browser's database (entry-storage.js). One of the
 * person's tabs (leader.js) sends for all of them (send-loop.js).
 */

import { addressOf, keyOf } from './address.js';
import { EntryStorage } from './entry-storage.js';
import { Leader } from './leader.js';
import { OutboxTabs, channelName } from './outbox-tabs.js';
import { Outbox, newClientId } from './outbox.js';
import { SendLoop } from './send-loop.js';
import { StepRecorder } from './step-recorder.js';
import { Uploads } from './uploads.js';

export class Dispatcher {
  #outbox = new Outbox();
  #loaded; // a promise: the storage is open and read
  #steps = new StepRecorder(); // for the send log
  #uploads; // of the files of messages
  #loop; // sends

  /**
   * `sendEntry(entry, fileIds)` resolves to the server's acknowledgement, or to null where none came. `on` holds callbacks:
   * - `sent(message)`, `changeSent({change, message})`: the server has the message, or the change of a message.
   * - `changeRefused(entry, ack)`: the server has refused a change.
   * - `changed()`: the entries are others now.
   * - `uploading(clientId, loaded)`: so many bytes of the files of a message are there.
   * - `storageFailed(entry)`: the browser does not store this entry, or any; it ends with the page.
   * - `closed()`: the person has logged out in another tab.
   */
  constructor(ownerId, sendEntry, on) {
    Object.assign(this, { ownerId, on });
    this.storage = new EntryStorage(ownerId, { onFailed: on.storageFailed, tell: ({ type, ...fields }) => this.tabs.broadcast(type, fields) });
    this.#uploads = new Uploads(ownerId, (id) => this.blobOf(id), (clientId, loaded) => this.#tellUploading(clientId, loaded));
    const actions = { sync: () => this.#sync(), remove: (clientId) => this.remove(clientId), run: () => this.#loop.run(), end: () => this.#end() };
    this.tabs = new OutboxTabs(ownerId, { outbox: this.#outbox, storage: this.storage, uploads: this.#uploads, on }, actions);
    this.leader = new Leader(channelName(ownerId), { prepare: () => this.#sync().catch(() => {}), onLeading: () => this.#loop.run() });
    this.#loop = new SendLoop({
      outbox: this.#outbox, storage: this.storage, tabs: this.tabs, leader: this.leader, uploads: this.#uploads, steps: this.#steps, sendEntry, on,
    }, { save: (entry) => this.#save(entry), remove: (clientId) => this.remove(clientId) });
  }

  async open() {
    this.tabs.open();
    this.#loaded = this.#load();
    await this.#loaded;
    this.on.changed();
    this.leader.queue();
  }

  async #load() {
    try {
      await this.storage.open();
      await this.#sync();
    } catch {
      this.on.storageFailed();
    }
  }

  /** Reads what other tabs have stored: one may have been closed before it could tell. */
  async #sync() {
    for (const entry of await this.storage.all()) {
      if (!this.#outbox.get(entry.clientId)) this.#outbox.put({ ...entry, attempts: 0 });
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

  /** How many messages, and how many changes of messages, are not acknowledged. */
  get counts() {
    return this.#outbox.counts;
  }

  /** The messages that were refused. */
  get failed() {
    return this.#outbox.failed;
  }

  /** Whether there is something to send, and the network to do it. */
  get isSending() {
    return this.#loop.isConnected && this.#outbox.isWaiting;
  }

  /**
   * Adds a message, which `to` returns from now on; `replyTo` names the one that it answers, `attached` are its files, each with its
   * content as `blob`. Resolves when it is stored, or when storing has failed.
   */
  add(key, message, replyTo = null, attached = []) {
    const files = this.storage.blobs.take(attached);
    // Offline, and while its files are uploaded, no tab tries to send it: so it can still be edited or deleted in the outbox.
    const fields = { message, replyTo, isUntried: !this.#loop.isConnected || files.length > 0, ...(files.length && { files }) };
    const entry = this.#outbox.add({ clientId: newClientId(), ...addressOf(key, 'receiverId'), ...fields }, Date.now());
    this.#steps.record(entry, {});
    return this.#enqueue(entry);
  }

  /** Adds what was done to a message (outbox-changes.js), its `target` and `verb`. Resolves as `add` does. */
  addChange(key, fields) {
    const entry = this.#outbox.add({ clientId: newClientId(), kind: 'change', ...addressOf(key, 'receiverId'), ...fields }, Date.now());
    this.on.changed();
    return this.#enqueue(entry);
  }

  /**
   * Changes a message that waits, as long as no tab has tried to send it. `change(stored)` gets the message as it is stored, and returns
   * what it becomes, or null to delete it. Resolves to false if a tab has tried to send it.
   */
  async amend(clientId, change) {
    const entry = this.#outbox.get(clientId);
    if (!entry?.isUntried || (this.#outbox.isInFlight(entry) && !entry.files)) return false;
    const amended = await this.storage.amend(entry, (stored) => (stored.isUntried ? change(stored) : undefined));
    if (amended === null) this.remove(clientId);
    else if (amended) this.#tellPut({ ...amended });
    return amended !== undefined;
  }

  #tellPut(entry) {
    this.#outbox.put(entry);
    this.tabs.broadcast('put', { entry });
    this.on.changed();
  }

  /** Sends a failed entry again; `fields` of it are new. */
  retry(clientId, fields) {
    const entry = this.#outbox.retry(clientId, Date.now(), fields);
    if (entry) this.#enqueue(entry);
    this.on.changed();
  }

  remove(clientId) {
    this.#uploads.cancel(this.#outbox.get(clientId));
    for (const { clientId: id } of this.#changesOfUnsent(clientId)) this.#delete(id);
    this.#delete(clientId);
    this.tabs.broadcast('removed', { clientId });
    this.on.changed();
  }

  /** The server has deleted a message. Edits of it that were refused hold its text, so they are deleted too. */
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
    this.#loop.run();
  }

  /** Lets this tab send: the person is here. */
  becomeLeader() {
    this.leader.becomeLeader();
  }

  /** A new connection sends at once what waited for it. */
  setConnected(isConnected) {
    this.#loop.setConnected(isConnected);
  }

  /** A message of one's own has come from the server. So it was sent, even if the acknowledgement never comes. */
  stored(message) {
    this.#loop.stored(message);
  }

  #tellUploading(clientId, loaded) {
    this.on.uploading(clientId, loaded);
    this.tabs.broadcast('uploading', { clientId, loaded });
  }

  /** Resolves to the content of a file that waits, or to undefined. */
  blobOf(id) {
    return this.storage.blobs.find(id);
  }

  async #save(entry) {
    await this.#loaded;
    if (this.#loop.isClosed) return;
    await this.storage.put(entry);
    // Meanwhile it may have been sent and removed: then the other tabs must not get it back.
    if (this.#outbox.get(entry.clientId)) this.tabs.broadcast('put', { entry });
  }

  #delete(clientId) {
    this.storage.remove(this.#outbox.get(clientId) ?? { clientId });
    this.#outbox.remove(clientId);
  }

  /** The person has logged out: from now on no tab sends or stores anything. */
  close() {
    this.#end();
    this.tabs.broadcast('closed');
  }

  #end() {
    this.#loop.close();
    this.#steps.close();
    this.storage.blobs.clear();
    this.#uploads.abortAll();
  }

  /** Deletes what the browser has stored for the person. */
  async deleteStored() {
    await this.#loaded;
    await this.storage.deleteAll();
  }
}
