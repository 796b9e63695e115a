/** The files of messages in the outbox: they are uploaded, one after the other, before their message is sent. Loaded when there are some. */

import { gettext } from './i18n.js';
import { uploadFile } from './upload.js';
import { requestWith } from './upload-request.js';

const MAX_REFUSALS = 5; // that pass by themselves: with the pauses between them, 15 s

export class OutboxFiles {
  #uploads = new Map(); // clientId of a message → the AbortController of its upload
  #reached = new Map(); // clientId of a message → bytes that have come at most

  /**
   * `blobOf(clientId)` resolves to the content of a file, or to undefined; `onProgress(clientId, loaded)` tells how many bytes
   * of a message's files are there. `makeRequest(signal)` returns what upload.js asks for.
   */
  constructor(ownerId, blobOf, onProgress, makeRequest = requestWith) {
    Object.assign(this, { ownerId, blobOf, onProgress, makeRequest });
  }

  /** Uploads the files of an entry. Resolves to `{ids}`, which the server knows them by, or to `{ack}`: why not (upload.js). */
  async upload(entry) {
    const ending = new AbortController();
    this.#uploads.set(entry.clientId, ending);
    try {
      const { ids, ack } = await this.#alone(entry, ending.signal, () => this.#uploadAll(entry, ending.signal));
      // The server may not have a disk or a database for a while; then the person is told.
      return ack?.error?.retry && entry.attempts >= MAX_REFUSALS ? { ack: { ...ack, error: { ...ack.error, retry: false } } } : { ids, ack };
    } catch {
      return { ack: null }; // aborted
    } finally {
      this.#uploads.delete(entry.clientId);
    }
  }

  /** One tab uploads. Another one, which leads by now, waits until it has finished or was closed. */
  #alone({ clientId }, signal, action) {
    if (!navigator.locks) return action();
    return navigator.locks.request(`upload:${this.ownerId}:${clientId}`, { signal }, action);
  }

  async #uploadAll(entry, signal) {
    const { files } = entry;
    const ids = [];
    let done = 0; // bytes of the files that are there
    for (const file of files) {
      const blob = await readable(await this.blobOf(file.clientId));
      if (!blob) return { ack: lost(file) };
      const { file: stored, ack } = await uploadFile(file, blob, this.makeRequest(signal), (bytes) => this.#moved(entry, done + bytes));
      if (!stored) return { ack };
      ids.push(stored.id);
      done += file.size;
      this.#moved(entry, done);
    }
    return { ids };
  }

  /** What comes further than before is no vain try: the next one need not wait longer than the first. */
  #moved(entry, loaded) {
    const { clientId } = entry;
    if (loaded > (this.#reached.get(clientId) ?? 0)) entry.attempts = 1;
    this.#reached.set(clientId, Math.max(loaded, this.#reached.get(clientId) ?? 0));
    this.onProgress(clientId, loaded);
  }

  /** An entry is gone: what is being uploaded of it stops. */
  abort(clientId) {
    this.#uploads.get(clientId)?.abort();
  }

  abortAll() {
    for (const clientId of this.#uploads.keys()) this.abort(clientId);
  }

  /** The person has taken an entry back. What the server has of it by now goes too; without a network, within a day. */
  async cancel({ clientId, files }) {
    this.abort(clientId);
    const request = this.makeRequest(new AbortController().signal);
    for (const file of files) await request('DELETE', `/files/${encodeURIComponent(file.clientId)}`).catch(() => null);
  }
}

/** The blob, if it can be read: a file that is not stored in the browser may be gone from the disk, or be a folder. */
async function readable(blob) {
  return blob?.slice(0, 1).arrayBuffer().then(() => blob, () => null);
}

const lost = ({ name }) => ({
  ok: false, error: { code: 'invalid', retry: false, message: gettext('“%(name)s” can no longer be read. Choose it again.', { name }) },
});
