/**
 * The rules of the outbox: what is sent when, and what becomes of it. They know no clock, no storage and no network:
 * times are given to them, in ms.
 *
 * An entry `{clientId, receiverId or conversationId, createdAt, attempts, state: 'waiting' | 'failed', reason, isHopeless}` is
 * something that the server has not acknowledged: a message, with its text `message`, `replyTo` and, where it has some, `files`
 * `[{clientId, name, type, size, alt?, duration?, width?, height?}]`, which are uploaded before it is sent; or, of `kind: 'change'`, what
 * was done to a message, with `target` and `verb`: `{edit, seen}`, `{delete: true}`, `{react, on}` or `{pin}`.
 *
 * `target` and `replyTo` name a message: `{seq, conversationId}`, or `{clientId}` while the server does not have it. The text of the message
 * that is named is never part of an entry: it may be deleted meanwhile. `basedOn` is the clientId of an edit that was not
 * acknowledged when its text was edited again.
 *
 * The entries of a conversation leave in the order in which they were made, one at a time. A change leaves after its message, and not
 * before a deletion of it; what answers a message that was refused leaves without a quote. The server takes a clientId once, however often
 * it comes: so in doubt an entry is sent again.
 */

import { keyOf } from './address.js';

const MIN_RETRY_DELAY_MS = 500;
const MAX_RETRY_DELAY_MS = 10_000;
const HOPELESS = ['invalid', 'too_long', 'not_found', 'unknown_event', 'conflict', 'too_large']; // codes of refusals that a retry cannot change

export class Outbox {
  #entries = [];
  #inFlight = new Map(); // key of the conversation → clientId
  #notBefore = new Map(); // key of the conversation → ms
  #acknowledged = new Map(); // clientId → {seq, conversationId} of a message, {change} of a change

  constructor(entries = []) {
    for (const entry of entries) this.put({ ...entry, attempts: 0 });
  }

  /** Takes an entry as the store or another tab knows it. */
  put(entry) {
    const known = this.get(entry.clientId);
    if (known) Object.assign(known, entry);
    else this.#entries.push(entry);
    this.#resolveReferences(known ?? entry);
    this.#entries.sort((a, b) => a.createdAt - b.createdAt);
  }

  /** Adds a message or a change with its `clientId` and its address. */
  add(fields, now) {
    const entry = { ...fields, createdAt: this.#nextCreatedAt(now), attempts: 0, state: 'waiting' };
    this.#resolveReferences(entry);
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

  /** The changes of a message that are not acknowledged. */
  changesOf(key, { seq, clientId }) {
    return this.to(key).filter(({ target }) => target && (seq ? target.seq === seq : target.clientId === clientId));
  }

  /** The clientId of the last edit of a message that waits: its text is what the writer has before their eyes. */
  waitingEdit(key, message) {
    const isEdit = ({ verb, state }) => verb.edit !== undefined && state === 'waiting';
    return this.changesOf(key, message).findLast(isEdit)?.clientId ?? null;
  }

  /** The earlier changes of the message that an entry deletes. They are removed with it. */
  supersededBy({ verb, target, createdAt, ...address }) {
    if (!verb?.delete) return [];
    return this.changesOf(keyOf(address), target).filter((earlier) => earlier.createdAt < createdAt);
  }

  /** What names an entry, and will be changed by its acknowledgement: an edit of an edit of it too. */
  naming(clientId, madeAfter = 0) {
    const names = ({ target, replyTo, basedOn }) => [target?.clientId, replyTo?.clientId, basedOn].includes(clientId);
    const direct = this.#entries.filter((entry) => entry.createdAt > madeAfter && names(entry));
    return direct.flatMap((entry) => [entry, ...this.naming(entry.clientId, entry.createdAt)]);
  }

  isInFlight(entry) {
    return this.#inFlight.get(keyOf(entry)) === entry.clientId;
  }

  get length() {
    return this.#entries.length;
  }

  get counts() {
    const changes = this.#entries.filter(({ kind }) => kind === 'change').length;
    return { messages: this.#entries.length - changes, changes };
  }

  /** The messages that were refused: their writer decides what becomes of them. */
  get failed() {
    return this.#entries.filter(({ state, kind }) => state === 'failed' && kind !== 'change');
  }

  get isWaiting() {
    return this.#entries.some((entry) => entry.state === 'waiting');
  }

  /** Returns what to send now: the first waiting entry of each conversation that has none in flight. */
  take(now) {
    const due = this.#heads().filter((entry) => this.#dueAt(entry) <= now);
    for (const entry of due) {
      this.#resolveReferences(entry);
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
      if (entry.state === 'waiting' && !this.#isBlocked(entry) && !heads.has(keyOf(entry))) heads.set(keyOf(entry), entry);
    }
    return [...heads.values()].filter((entry) => !this.#inFlight.has(keyOf(entry)));
  }

  /** Whether a change has to wait: its message is not sent yet, or a later deletion goes first. If that is refused, the change is sent. */
  #isBlocked(entry) {
    const { target, createdAt } = entry;
    if (!target) return false;
    const isLaterDeletion = (other) => other.verb.delete && other.state === 'waiting' && other.createdAt > createdAt;
    return Boolean(target.clientId) || this.changesOf(keyOf(entry), target).some(isLaterDeletion);
  }

  #dueAt(entry) {
    return this.#notBefore.get(keyOf(entry)) ?? 0;
  }

  /**
   * Takes the acknowledgement of an entry, or null if none came. Returns 'sent' (the entry is gone), 'failed' (it stays
   * for the person to decide) or 'waiting' (it will be taken again).
   */
  settle(entry, ack, now) {
    this.release(entry);
    if (ack?.ok) {
      this.#notBefore.delete(keyOf(entry));
      this.acknowledged(entry.clientId, ack);
      return 'sent';
    }
    if (isFinal(ack)) {
      const refused = this.get(entry.clientId);
      const { code, message: reason } = ack.error;
      if (refused) Object.assign(refused, { state: 'failed', reason, code, isHopeless: HOPELESS.includes(code) });
      return 'failed';
    }
    if (!this.get(entry.clientId)) return 'waiting'; // it has left otherwise: the next one need not wait
    const backoff = Math.min(MAX_RETRY_DELAY_MS, MIN_RETRY_DELAY_MS * 2 ** (entry.attempts - 1));
    const retryAfter = (ack?.error?.retryAfter ?? 0) * 1000;
    this.#notBefore.set(keyOf(entry), now + Math.max(retryAfter, backoff));
    return 'waiting';
  }

  /** Takes back that an entry is in flight. */
  release(entry) {
    if (this.isInFlight(entry)) this.#inFlight.delete(keyOf(entry));
  }

  /** The server has an entry: it is gone, and what names it gets what the server calls it. */
  acknowledged(clientId, { message, change }) {
    this.#acknowledged.set(clientId, change ? { change } : { seq: message.seq, conversationId: message.conversationId });
    this.#entries.forEach((entry) => this.#resolveReferences(entry));
    this.remove(clientId);
  }

  /** Replaces the clientId of an acknowledged message by its seq. */
  #resolveReferences(entry) {
    for (const field of ['target', 'replyTo']) {
      const place = this.#acknowledged.get(entry[field]?.clientId);
      if (place) entry[field] = place;
    }
    if (entry.basedOn) this.#resolveSeen(entry);
  }

  /** Sets `seen` of an edit of an own edit: to the number of that one or, while it waits, to what it has seen. */
  #resolveSeen(entry) {
    const base = this.get(entry.basedOn);
    const seenByBase = base && base.createdAt < entry.createdAt ? base.verb.seen : 0;
    const seen = this.#acknowledged.get(entry.basedOn)?.change ?? seenByBase;
    if (seen > entry.verb.seen) entry.verb = { ...entry.verb, seen };
  }

  /** Makes all that waits due at once. */
  networkReturned() {
    this.#notBefore.clear();
    for (const entry of this.#entries) entry.attempts = 0;
  }

  /** Sends a failed entry again, as the last one and with the same clientId; `fields` of it are new. */
  retry(clientId, now, fields = {}) {
    const entry = this.get(clientId);
    if (entry) this.put({ ...entry, ...fields, createdAt: this.#nextCreatedAt(now), attempts: 0, state: 'waiting', reason: undefined });
    return this.get(clientId);
  }

  /** Removes an entry, and with a message what was done to it. */
  remove(clientId) {
    this.#entries = this.#entries.filter((entry) => entry.clientId !== clientId && entry.target?.clientId !== clientId);
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
