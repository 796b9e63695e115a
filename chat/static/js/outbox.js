/**
 * The rules of the outbox: what is sent when, and what becomes of it. They know no clock, no storage and no network:
 * times are given to them, in ms.
 *
 * An entry `{clientId, receiverId or conversationId, message, createdAt, attempts, state: 'waiting' | 'failed', reason, isHopeless}` is
 * a message that the server has not acknowledged. The entries of a conversation leave in order, one at a time. The
 * server stores a clientId once, however often it comes: so in doubt an entry is sent again.
 */

import { keyOf } from './address.js';

const MIN_RETRY_DELAY_MS = 500;
const MAX_RETRY_DELAY_MS = 10_000;
const HOPELESS = ['invalid', 'too_long', 'not_found', 'unknown_event']; // codes of refusals that a retry cannot change

export class Outbox {
  #entries = [];
  #inFlight = new Map(); // key of the conversation → clientId
  #notBefore = new Map(); // key of the conversation → ms

  constructor(entries = []) {
    for (const entry of entries) this.put({ ...entry, attempts: 0 });
  }

  /** Takes an entry as the store or another tab knows it. */
  put(entry) {
    const known = this.get(entry.clientId);
    if (known) Object.assign(known, entry);
    else this.#entries.push(entry);
    this.#entries.sort((a, b) => a.createdAt - b.createdAt);
  }

  /** Adds a message with its `clientId` and its address. */
  add(message, now) {
    const entry = { ...message, createdAt: this.#nextCreatedAt(now), attempts: 0, state: 'waiting' };
    this.#entries.push(entry);
    return entry;
  }

  /** `createdAt` decides the order, so it only grows, even if the clock is set back. */
  #nextCreatedAt(now) {
    return Math.max(now, (this.#entries.at(-1)?.createdAt ?? 0) + 1);
  }

  get(clientId) {
    return this.#entries.find((entry) => entry.clientId === clientId);
  }

  to(key) {
    return this.#entries.filter((entry) => keyOf(entry) === key);
  }

  get length() {
    return this.#entries.length;
  }

  get isWaiting() {
    return this.#entries.some((entry) => entry.state === 'waiting');
  }

  /** Returns what to send now: the first waiting entry of each conversation that has none in flight. */
  take(now) {
    const due = this.#heads().filter((entry) => this.#dueAt(entry) <= now);
    for (const entry of due) {
      entry.attempts += 1;
      this.#inFlight.set(keyOf(entry), entry.clientId);
    }
    return due;
  }

  /** When `take` will next have something, in ms; Infinity if only an acknowledgement can bring it. */
  nextAt() {
    return Math.min(Infinity, ...this.#heads().map((entry) => this.#dueAt(entry)));
  }

  #heads() {
    const heads = new Map();
    for (const entry of this.#entries) {
      if (entry.state === 'waiting' && !heads.has(keyOf(entry))) heads.set(keyOf(entry), entry);
    }
    return [...heads.values()].filter((entry) => !this.#inFlight.has(keyOf(entry)));
  }

  #dueAt(entry) {
    return this.#notBefore.get(keyOf(entry)) ?? 0;
  }

  /**
   * Takes the acknowledgement of an entry, or null if none came. Returns 'sent' (the entry is gone), 'failed' (it stays
   * for the person to decide) or 'waiting' (it will be taken again).
   */
  settle(entry, ack, now) {
    if (this.#inFlight.get(keyOf(entry)) === entry.clientId) this.#inFlight.delete(keyOf(entry));
    if (ack?.ok) {
      this.#notBefore.delete(keyOf(entry));
      this.remove(entry.clientId);
      return 'sent';
    }
    if (isFinal(ack)) {
      const refused = this.get(entry.clientId);
      const isHopeless = HOPELESS.includes(ack.error.code);
      if (refused) Object.assign(refused, { state: 'failed', reason: ack.error.message, isHopeless });
      return 'failed';
    }
    const backoff = Math.min(MAX_RETRY_DELAY_MS, MIN_RETRY_DELAY_MS * 2 ** (entry.attempts - 1));
    const retryAfter = (ack?.error?.retryAfter ?? 0) * 1000;
    this.#notBefore.set(keyOf(entry), now + Math.max(retryAfter, backoff));
    return 'waiting';
  }

  /** Makes all that waits due at once. */
  networkReturned() {
    this.#notBefore.clear();
    for (const entry of this.#entries) entry.attempts = 0;
  }

  /** Sends a failed entry again, as the last one and with the same clientId. */
  retry(clientId, now) {
    const entry = this.get(clientId);
    if (entry) this.put({ ...entry, createdAt: this.#nextCreatedAt(now), attempts: 0, state: 'waiting', reason: undefined });
    return this.get(clientId);
  }

  remove(clientId) {
    this.#entries = this.#entries.filter((entry) => entry.clientId !== clientId);
  }
}

/** Whether a refusal is the last word. The end of a session is not: the person logs in again, and the entry is sent. */
function isFinal(ack) {
  return ack?.ok === false && !ack.error?.retry && ack.error?.code !== 'unauthorized';
}

/** A random UUID, as `crypto.randomUUID` makes it; browsers offer that one over https only. */
export function newClientId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
