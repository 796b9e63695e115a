/** The contents of files that wait in the outbox: in the browser's store, and while they are not there in the tab that has them. */

const ANSWER_MS = 5_000; // for another tab to send one

export class OutboxBlobs {
  #blobs = new Map(); // clientId of a file → its content, until it is stored
  #wanted = new Map(); // clientId of a file → takes its content from another tab

  /** `read(id)` reads the store, `tell(data)` tells the other tabs. */
  constructor(read, tell) {
    Object.assign(this, { read, tell });
  }

  /** Takes the files of a message, each with its content as `blob`. Returns them without. */
  take(attached) {
    return attached.map(({ blob, ...file }) => {
      this.#blobs.set(file.clientId, blob);
      return file;
    });
  }

  /** What of an entry is not stored, as [clientId, blob]. */
  unstoredOf({ files = [] }) {
    return files.flatMap(({ clientId }) => (this.#blobs.has(clientId) ? [[clientId, this.#blobs.get(clientId)]] : []));
  }

  /** The contents of an entry are stored, or needed no more. */
  forget(entry) {
    entry?.files?.forEach(({ clientId }) => this.#blobs.delete(clientId));
  }

  clear() {
    this.#blobs.clear();
  }

  /** Resolves to the content of a file, or to undefined. Where the browser did not store it, the tab that has it sends it. */
  async find(id) {
    return this.#blobs.get(id) ?? (await this.read(id).catch(() => undefined)) ?? this.#ask(id);
  }

  #ask(id) {
    const answer = new Promise((resolve) => {
      this.#wanted.set(id, resolve);
      setTimeout(resolve, ANSWER_MS);
    });
    this.tell({ type: 'blobWanted', id });
    return answer.finally(() => this.#wanted.delete(id));
  }

  /** Takes what another tab says. */
  async receive({ type, id, blob }) {
    if (type === 'blob') return this.#wanted.get(id)?.(blob);
    const known = this.#blobs.get(id) ?? (await this.read(id).catch(() => undefined)); // a store may be that of this tab alone
    if (known) this.tell({ type: 'blob', id, blob: known });
  }
}
