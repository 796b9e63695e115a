/**
 * One connection for all tabs of one person, where WebSockets are blocked. A browser opens six HTTP/1.1 connections to a
 * host, and long polling holds one of them for each tab: six tabs would leave none to send by.
 *
 * The leader among the tabs (leader.js) has the connection. The others follow it: by a BroadcastChannel they send through
 * it, and hear what the server says. If the leader closes, freezes or does not answer, another tab takes its place. That
 * one makes a new connection, and all tabs catch up as after any other reconnection.
 */

import { keyOf } from './address.js';
import { Leader } from './leader.js';
import { newClientId } from './outbox.js';

const PING_INTERVAL_MS = 5_000;
const PONG_TIMEOUT_MS = 2_000;
const MAX_UNANSWERED = 2; // pings; the answer to the first may be late because this tab was asleep
const ACK_TIMEOUT_MS = 6_000; // longer than the leader itself waits for the server

export class SharedConnection {
  isFollowing = false;
  #tabId = newClientId();
  #term = 0; // the number of the leadership that this tab is part of; 0 until it has heard of it
  #latestTerm = 0; // numbers grow: what an earlier leader says, when it wakes up, is not heard
  #isChecking = false;
  #pong; // resolves the ping under way
  #acks = new Map(); // number of a relayed event → resolves its acknowledgement
  #count = 0; // relayed events
  #readSeqs = new Map(); // key of a conversation → how far the tabs know that it is read
  #left = new AbortController();

  /**
   * `own` is this tab's own connection: `status`, `online` (ids), `connect()`, `disconnect()`, `emit(event, payload)`,
   * `emitVolatile`, `markDelivered`, and what the page is told: `setStatus(status, refusal)`, `receive(event, payload)`
   * and `unshare()`.
   */
  constructor(ownerId, lockName, own) {
    Object.assign(this, { ownerId, own });
    this.channel = new BroadcastChannel(lockName);
    this.channel.onmessage = ({ data }) => this.#heard(data);
    this.leader = new Leader(lockName, { onLeading: () => this.#lead(), onLost: () => this.#lost() });
    const { signal } = this.#left;
    document.addEventListener('freeze', () => this.#freeze(), { signal });
    document.addEventListener('resume', () => this.#seek(), { signal });
    const timer = setInterval(() => this.isFollowing && this.check(), PING_INTERVAL_MS);
    signal.addEventListener('abort', () => clearInterval(timer));
    this.#seek();
  }

  get isLeading() {
    return this.leader.isLeading;
  }

  /** Stops sharing. The followers of a leader that leaves connect by themselves. */
  leave() {
    if (this.isLeading) this.#post('ended');
    this.#left.abort();
    this.leader.resign();
    this.channel.close();
    this.#settleAll();
  }

  /** Takes the lead if the leader does not answer. */
  async check() {
    if (this.#isChecking || this.isLeading) return;
    this.#isChecking = true;
    let isAnswered = false;
    for (let pings = 0; pings < MAX_UNANSWERED && !isAnswered; pings += 1) isAnswered = await this.#ping();
    this.#isChecking = false;
    if (!isAnswered && !this.#left.signal.aborted) this.leader.becomeLeader();
  }

  // Who leads

  /** Leads if no tab does, else follows the one that does. */
  #seek() {
    if (!this.isLeading) this.leader.queue();
    this.check();
  }

  #lead() {
    this.isFollowing = false;
    this.#begin(Math.max(Date.now(), this.#latestTerm + 1));
    this.own.connect();
    this.#announce();
  }

  #follow(term) {
    const hadOwn = !this.isFollowing;
    this.isFollowing = true;
    this.#begin(term);
    if (hadOwn) this.own.disconnect();
  }

  #begin(term) {
    this.#term = term;
    this.#latestTerm = Math.max(this.#latestTerm, term);
    this.#readSeqs.clear();
    this.#settleAll();
    this.#pong?.();
  }

  /** Another tab has taken the lead: this one was asleep, or too busy to answer. */
  #lost() {
    this.#follow(0);
    this.own.setStatus('reconnecting');
    this.check();
  }

  /** The browser stops this page, in the background: it can neither lead nor be elected. */
  #freeze() {
    const { isLeading } = this;
    this.leader.resign();
    this.#begin(0); // what is said until it wakes up may be lost
    if (isLeading) this.own.disconnect();
  }

  #ping() {
    return new Promise((resolve) => {
      this.#pong = () => resolve(true);
      setTimeout(() => resolve(this.isLeading), PONG_TIMEOUT_MS);
      this.#post('ping');
    });
  }

  // What the page emits

  /** Emits an event. Resolves to its acknowledgement, or to null if none came in time. */
  emit(event, payload) {
    if (!this.isFollowing) return this.#emitFor(this.#tabId, event, payload);
    const number = this.#count += 1;
    const ack = new Promise((resolve) => {
      this.#acks.set(number, resolve);
      setTimeout(resolve, ACK_TIMEOUT_MS, null);
    });
    this.#post('emit', { number, event, payload });
    this.check();
    return ack.finally(() => this.#acks.delete(number));
  }

  /** Emits an event that nobody waits for. */
  emitVolatile(event, payload) {
    if (this.isFollowing) this.#post('emit', { event, payload });
    else this.own.emitVolatile(event, payload);
  }

  /**
   * Emits an event for a tab. The server tells a person's other connections what one of them has sent or read, and here
   * there is no other: the leader tells the other tabs.
   */
  async #emitFor(tabId, event, payload) {
    const key = keyOf({ ...payload, receiverId: payload.userId });
    if (event === 'markDelivered' && tabId !== this.#tabId) {
      this.own.markDelivered(key, payload.seq); // once for all tabs, which have all received the message
      return { ok: true };
    }
    const ack = await this.own.emit(event, payload);
    if (!ack?.ok || !this.isLeading) return ack;
    if (event === 'sendMessage') this.#tellOthers(tabId, 'receiveMessage', ack.message);
    if (event === 'markUnread') this.#tellOthers(tabId, 'markedUnread', payload);
    if (event === 'markRead' && ack.readSeq > (this.#readSeqs.get(key) ?? 0)) {
      this.#readSeqs.set(key, ack.readSeq);
      this.#tellOthers(tabId, 'messagesRead', { ...payload, readerId: this.ownerId, seq: ack.readSeq });
    }
    return ack;
  }

  #tellOthers(tabId, event, payload) {
    this.#post('event', { event, payload, except: tabId });
    if (tabId !== this.#tabId) this.own.receive(event, payload);
  }

  #settleAll() {
    for (const resolve of this.#acks.values()) resolve(null);
  }

  // What the leader tells

  /** Passes an event of the server on to the followers. */
  relay(event, payload) {
    if (this.isLeading) this.#post('event', { event, payload });
  }

  tellStatus() {
    if (this.isLeading) this.#tellState();
  }

  /** Tells who leads, and all that a tab needs to know which has not followed yet. `to` is one tab. */
  #announce(to) {
    const { status, online } = this.own;
    this.#tellState({ to, online: status === 'online' ? [...online] : [] });
  }

  #tellState(more) {
    const { status, refusal } = this.own;
    this.#post('state', { status, refusal, isHidden: document.visibilityState === 'hidden', ...more });
  }

  // What is said in the channel

  #post(type, fields) {
    if (!this.#left.signal.aborted) this.channel.postMessage({ type, from: this.#tabId, term: this.#term, ...fields });
  }

  #heard(data) {
    if (data.to && data.to !== this.#tabId) return;
    if (this.isLeading) this.#heardAsLeader(data);
    else if (data.type === 'state') this.#heardState(data);
    else if (data.term === this.#term) this.#heardFromLeader(data);
  }

  async #heardAsLeader({ type, from, term, number, event, payload }) {
    if (type === 'ping') {
      if (term === this.#term) this.#tellState({ to: from });
      else this.#announce(from);
    } else if (type === 'emit' && term === this.#term) {
      if (!number) return this.own.emitVolatile(event, payload);
      const ack = await this.#emitFor(from, event, payload);
      this.#post('ack', { to: from, number, ack });
    }
  }

  #heardState({ term, to, status, refusal, online, isHidden }) {
    if (term < this.#latestTerm) return;
    this.#pong?.();
    const isOther = term !== this.#term;
    if (isOther) this.#follow(term);
    if (isOther || !to || status !== this.own.status) {
      this.own.setStatus(status, refusal);
      if (online?.length) this.own.receive('updateOnlineUsers', { snapshot: true, online });
    }
    // Browsers delay the timers of a page in the background, and so its next try to connect.
    if (status !== 'online' && isHidden && document.visibilityState === 'visible') this.leader.becomeLeader();
  }

  #heardFromLeader({ type, event, payload, except, number, ack }) {
    if (type === 'event' && except !== this.#tabId) this.own.receive(event, payload);
    if (type === 'ack') this.#acks.get(number)?.(ack);
    if (type === 'ended') this.own.unshare();
  }
}
