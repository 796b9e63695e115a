/**
 * What of the outbox the browser has stored. Where it stores nothing, entries live as long as the page, and somebody is told.
 */

import { OutboxBlobs } from './outbox-blobs.js';
import { deleteDatabase, openBrowserStore, openMemoryStore } from './outbox-store.js';

export class EntryStorage {
  #store = openMemoryStore();
  #removedIds = new Set(); // clientIds; the store may still hold them for a moment
  #unstored = new Set(); // clientIds of what the store has not taken

  /** `onFailed(entry)` is called when something was not stored, `tell(data)` tells the other tabs. */
  constructor(ownerId, { onFailed, tell }) {
    Object.assign(this, { ownerId, onFailed });
    this.blobs = new OutboxBlobs((id) => this.#store.blob(id), tell);
  }

  async open() {
    this.#store = await openBrowserStore(this.ownerId);
  }

  /** The entries that were stored, by other tabs too, and that are not gone. */
  async all() {
    return (await this.#store.all()).filter(({ clientId }) => !this.#removedIds.has(clientId));
  }

  put(entry) {
    return this.#store.put(entry, this.blobs.unstoredOf(entry)).then(() => {
      this.#unstored.delete(entry.clientId);
      this.blobs.forget(entry);
    }, () => {
      this.#unstored.add(entry.clientId);
      this.onFailed(entry);
    });
  }

  /** As `amend` of the store; of what the store has not taken, it is done here. Resolves to undefined also where the store cannot be asked. */
  async amend(entry, change) {
    if (this.#unstored.has(entry.clientId)) return change({ ...entry });
    return this.#store.amend(entry.clientId, change).catch(() => undefined);
  }

  /** Says of a message that it is being sent: from now on it can be changed at the server only. False if another tab has deleted it. */
  async claim(entry) {
    const claimed = await this.#store.amend(entry.clientId, (stored) => ({ ...stored, isUntried: false })).catch(() => ({}));
    Object.assign(entry, claimed, { attempts: entry.attempts, isUntried: false });
    return Boolean(claimed || this.#unstored.has(entry.clientId));
  }

  /** Puts the entries that follow from the end of one in its place. */
  replace(entry, following) {
    this.forget(entry);
    this.#store.replace(entry.clientId, following).catch(() => this.onFailed());
  }

  remove(entry) {
    this.forget(entry);
    this.#store.remove(entry.clientId).catch(() => this.onFailed());
  }

  /** An entry is gone; who has removed it here or in another tab takes it out of the store. */
  forget(entry) {
    this.#removedIds.add(entry.clientId);
    this.#unstored.delete(entry.clientId);
    this.blobs.forget(entry);
  }

  isGone(clientId) {
    return this.#removedIds.has(clientId);
  }

  /** Never fails: where deleting fails, nothing was stored. */
  async deleteAll() {
    await deleteDatabase(this.ownerId).catch(() => {});
  }
}
