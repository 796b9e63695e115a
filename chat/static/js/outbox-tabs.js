/**
 * The other tabs of one person, as the outbox sees them: what this one does with an entry they are told, and what they do is done here.
 * One of them sends for all (leader.js); each shows the same.
 */

/** The number is that of what the tabs say to each other: a page of an earlier version would send a change as a message, and a message without its files. */
export const channelName = (ownerId) => `outbox:${ownerId}:3`;

export class OutboxTabs {
  #channel;

  /** `outbox`, `storage`, `uploads` and `on` are those of the Dispatcher, `own` what it does itself: `sync()`, `remove(clientId)`, `run()`, `end()`. */
  constructor(ownerId, { outbox, storage, uploads, on }, own) {
    Object.assign(this, { ownerId, outbox, storage, uploads, on, own });
  }

  open() {
    this.#channel = new BroadcastChannel(channelName(this.ownerId));
    this.#channel.onmessage = ({ data: { type, ...fields } }) => this.#receive(type, fields);
  }

  close() {
    this.#channel.close();
  }

  tell(type, fields) {
    this.#channel.postMessage({ type, ...fields });
  }

  async #receive(type, fields) {
    if (type.startsWith('blob')) return this.storage.blobs.receive({ type, ...fields });
    if (type === 'uploading') return this.on.uploading(fields.clientId, fields.loaded);
    if (type === 'closed') {
      this.own.end();
      return this.on.closed();
    }
    if (type === 'put') await this.#put(fields.entry);
    if (type === 'removed') this.#removed(fields.clientId);
    if (type === 'sent') this.#sent(fields);
    if (type === 'refused') this.on.changeRefused(fields.entry, fields.ack);
    this.on.changed();
    this.own.run();
  }

  async #put(entry) {
    await this.own.sync().catch(() => {}); // entries that were written before this one go before it
    if (!this.storage.isGone(entry.clientId)) this.outbox.put(entry);
    if (this.storage.isGone(entry.target?.clientId)) this.own.remove(entry.clientId); // what it was done to was deleted here
  }

  #removed(clientId) {
    this.#forget(clientId);
    this.outbox.remove(clientId);
  }

  #sent({ clientId, message, change }) {
    this.#forget(clientId);
    this.outbox.acknowledged(clientId, { message, change });
    if (change) this.on.changeSent({ change, message });
    else this.on.sent(message);
  }

  #forget(clientId) {
    this.storage.forget(this.outbox.get(clientId) ?? { clientId });
    this.uploads.abort(clientId);
  }
}
