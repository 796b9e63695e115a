/** The uploads of the outbox, as long as there are none: what does the work (outbox-files.js) is loaded for the first one. */

export class Uploads {
  #files = null; // a promise of the OutboxFiles

  /** As OutboxFiles. */
  constructor(ownerId, blobOf, onProgress) {
    Object.assign(this, { ownerId, blobOf, onProgress });
  }

  #load() {
    const make = ({ OutboxFiles }) => new OutboxFiles(this.ownerId, this.blobOf, this.onProgress);
    this.#files ??= import('./outbox-files.js').then(make).catch(() => {
      this.#files = null; // the next try asks for it again
      return null;
    });
    return this.#files;
  }

  /** Uploads the files of an entry. Resolves to `{ids}`, which the server knows them by, or to `{ack}`: why not. */
  async upload(entry) {
    const files = await this.#load();
    return files ? files.upload(entry) : { ack: null };
  }

  /** The person has taken an entry back. */
  async cancel(entry) {
    if (entry?.files) (await this.#load())?.cancel(entry);
  }

  /** An entry has left: nothing of it is uploaded any more. */
  async abort(clientId) {
    (await this.#files)?.abort(clientId);
  }

  async abortAll() {
    (await this.#files)?.abortAll();
  }
}
