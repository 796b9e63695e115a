/** Tells the server which messages have come to this browser: at most once a second for each conversation. */

const PAUSE_MS = 1_000;

export class Deliveries {
  #all = new Map(); // key of a conversation → {seq: the newest that has come, confirmed: the newest the server knows of, isEmitting}

  /** `emit(key, seq)` resolves to the acknowledgement, or to null; `isOnline()` says whether there is a connection. */
  constructor({ emit, isOnline }) {
    Object.assign(this, { emit, isOnline });
  }

  #of(key) {
    if (!this.#all.has(key)) this.#all.set(key, { seq: 0, confirmed: 0, isEmitting: false });
    return this.#all.get(key);
  }

  /** The server knows that the messages of a conversation have come, up to `seq`. */
  confirm(key, seq) {
    const delivery = this.#of(key);
    delivery.confirmed = Math.max(delivery.confirmed, seq);
  }

  /** They have come, up to `seq`. */
  mark(key, seq) {
    const delivery = this.#of(key);
    delivery.seq = Math.max(delivery.seq, seq);
    this.#tell(key, delivery);
  }

  /** There is a connection again. */
  resume() {
    this.#all.forEach((delivery, key) => this.#tell(key, delivery));
  }

  /** Emits the newest seq, if the server does not know of it. Without a connection it is emitted after the next one. */
  async #tell(key, delivery) {
    const { seq } = delivery;
    if (delivery.isEmitting || seq <= delivery.confirmed || !this.isOnline()) return;
    delivery.isEmitting = true;
    const pause = new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    const ack = await this.emit(key, seq);
    if (ack?.ok) this.confirm(key, seq);
    await pause;
    delivery.isEmitting = false;
    if (!ack || delivery.seq > seq) this.#tell(key, delivery);
  }
}
