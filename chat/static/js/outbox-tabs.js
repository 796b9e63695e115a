/**
 * The messages between the tabs of one person about the outbox. Each tab broadcasts what it does with an entry, and the others do the same.
 * One of them sends for all (leader.js).
 */

/**
 * The number is the version of what the tabs say to each other. A page of an earlier version would send a change as a message, and a message
 * without its files: so it does not hear this one.
 */
export const channelName = (ownerId) => `outbox:${ownerId}:3`;

/** Tells the page what has become of an entry. A change is told without a message to who may not see it any more. */
export function tellSent(on, { change, message }) {
  if (!change) on.sent(message);
  else if (message) on.changeSent({ change, message });
}

export class OutboxTabs {
  #channel;

  /** `outbox`, `storage`, `uploads` and `on` are those of the Dispatcher, `actions` what it does: `sync()`, `remove(clientId)`, `run()`, `end()`. */
  constructor(ownerId, { outbox, storage, uploads, on }, actions) {
    Object.assign(this, { ownerId, outbox, storage, uploads, on, actions });
  }

  open() {
    this.#channel = new BroadcastChannel(channelName(this.ownerId));
    this.#channel.onmessage = ({ data: { type, ...fields } }) => this.#receive(type, fields);
  }

  close() {
    this.#channel.close();
  }

  broadcast(type, fields) {
    this.#channel.postMessage({ type, ...fields });
  }

  async #receive(type, fields) {
    if (type.startsWith('blob')) return this.storage.blobs.receive({ type, ...fields });
    if (type === 'uploading') return this.on.uploading(fields.clientId, fields.loaded);
    if (type === 'closed') {
      this.actions.end();
      return this.on.closed();
    }
    if (type === 'put') await this.#put(fields.entry);
    if (type === 'removed') this.#removed(fields.clientId);
    if (type === 'sent') this.#sent(fields);
    if (type === 'refused') this.on.changeRefused(fields.entry, fields.ack);
    this.on.changed();
    this.actions.run();
  }

  async #put(entry) {
    await this.actions.sync().catch(() => {}); // entries that were written before this one go before it
    if (!this.storage.isGone(entry.clientId)) this.outbox.put(entry);
    if (this.storage.isGone(entry.target?.clientId)) this.actions.remove(entry.clientId); // what it was done to was deleted here
  }

  #removed(clientId) {
    this.#forget(clientId);
    this.outbox.remove(clientId);
  }

  #sent({ clientId, message, change }) {
    this.#forget(clientId);
    this.outbox.acknowledged(clientId, { message, change });
    tellSent(this.on, { change, message });
  }

  #forget(clientId) {
    this.storage.forget(this.outbox.get(clientId) ?? { clientId });
    this.uploads.abort(clientId);
  }
}
