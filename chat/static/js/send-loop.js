/** Sends what waits in the outbox, in the tab that leads, and takes what the server answers. */

import { tellSent } from './outbox-tabs.js';

export class SendLoop {
  isConnected = false;
  isClosed = false;
  #timer;

  /**
   * `parts` are those of the Dispatcher: outbox, storage, tabs, leader, uploads, steps, sendEntry and on. It also gives `save(entry)`, which
   * stores an entry, and `remove(clientId)`, which deletes one with what was to be done to it.
   */
  constructor(parts, { save, remove }) {
    Object.assign(this, parts, { save, remove });
  }

  /** A new connection sends at once what waited for it. */
  setConnected(isConnected) {
    this.isConnected = isConnected;
    if (isConnected) this.outbox.networkReturned();
    this.run();
  }

  /** Nothing is sent any more. */
  close() {
    this.isClosed = true;
  }

  /** Sends what is due, and sets a timer for what is due later. */
  run() {
    clearTimeout(this.#timer);
    if (!this.leader.isLeading || !this.isConnected || this.isClosed) return;
    this.outbox.take(Date.now()).forEach((entry) => this.#deliver(entry));
    const delay = this.outbox.nextAt() - Date.now();
    if (delay < Infinity) this.#timer = setTimeout(() => this.run(), Math.max(0, delay));
  }

  async #deliver(entry) {
    const uploaded = entry.files && (await this.uploads.upload(entry));
    if (uploaded && (!uploaded.ids || this.isClosed)) return this.#answered(entry, uploaded.ack ?? null);
    if (entry.isUntried && !(await this.#claim(entry))) {
      this.outbox.release(entry);
      return this.run();
    }
    this.steps.record(entry, { sent: Date.now() });
    this.#answered(entry, await this.sendEntry(entry, uploaded?.ids));
  }

  async #answered(entry, ack) {
    const naming = this.outbox.naming(entry.clientId);
    const superseded = this.outbox.supersededBy(entry);
    const outcome = this.outbox.settle(entry, ack, Date.now());
    if (outcome === 'sent') superseded.forEach(({ clientId }) => this.remove(clientId));
    if (outcome === 'sent') this.#sent(entry, ack, naming);
    else if (outcome === 'failed') await this.#refused(entry, ack);
    this.run();
  }

  /** This tab sends a message from now on, and no other one changes it. False if it was deleted. */
  async #claim(entry) {
    const isThere = await this.storage.claim(entry);
    if (isThere && this.outbox.get(entry.clientId)) this.tabs.broadcast('put', { entry });
    return isThere;
  }

  /** A message of one's own has come from the server. So it was sent, even if the acknowledgement never comes. */
  stored(message) {
    const entry = this.outbox.get(message.clientId);
    if (!entry) return;
    const naming = this.outbox.naming(entry.clientId);
    this.outbox.settle(entry, { ok: true, message }, Date.now());
    this.#sent(entry, { message }, naming);
    this.run();
  }

  /** Forgets an entry that was sent. `naming` are those that answer or change it: they know its number now, and are stored in the same step. */
  #sent(entry, { message, change }, naming) {
    const { clientId } = entry;
    this.steps.record(entry, { acknowledged: Date.now() });
    this.storage.replace(entry, naming);
    this.uploads.abort(clientId);
    this.tabs.broadcast('sent', { clientId, message, change });
    tellSent(this.on, { change, message });
    this.on.changed();
  }

  /** Keeps a refused message, and the text of a refused edit if its message still exists. Drops any other refused change. */
  async #refused(entry, ack) {
    if (!this.outbox.get(entry.clientId)) return; // it was removed meanwhile
    const isGone = ack.message?.deleted || ack.error.code === 'not_found';
    const isKept = !entry.verb || (entry.verb.edit !== undefined && !isGone);
    if (isKept) await this.save(entry);
    else this.remove(entry.clientId);
    if (entry.verb) {
      this.tabs.broadcast('refused', { entry, ack });
      this.on.changeRefused(entry, ack);
    }
    this.on.changed();
  }
}
