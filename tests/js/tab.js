/** A tab of the virtual browser, around a SharedConnection, and the server that it talks to. */

import assert from 'node:assert/strict';

import { ChangeLog } from '../../chat/static/js/changes.js';
import { SeqWindow } from '../../chat/static/js/seq-window.js';

const LATENCY_MS = 200; // to the server
const RECONNECTION_MS = 300;
const RETRY_MS = 500;

/**
 * The conversation of one person: numbered messages, each clientId once, told to all connections but the sender's; and numbered
 * changes, told to all.
 */
export class Server {
  log = [];
  changes = []; // clientIds
  connected = new Set(); // tabs

  emit(sender, event, { clientId }) {
    if (event === 'markRead') return { ok: true, lastSeq: this.log.length, lastChange: this.changes.length, readSeq: 0 };
    if (event === 'changeMessage') return { ok: true, change: this.change(clientId) };
    const message = this.log.find((row) => row.clientId === clientId) ?? { seq: this.log.length + 1, clientId };
    if (message.seq > this.log.length) this.store(message, sender);
    return { ok: true, message };
  }

  store(message, sender) {
    this.log.push(message);
    for (const tab of this.connected) if (tab !== sender) tab.hear('receiveMessage', message);
  }

  change(clientId) {
    if (!this.changes.includes(clientId)) {
      const change = this.changes.push(clientId);
      for (const tab of this.connected) tab.hear('messageChanged', { change });
    }
    return this.changes.indexOf(clientId) + 1;
  }
}

/** A tab: its own connection, as socket.js has it, and the messages that it shows, without a heartbeat that would heal a loss. */
export class Tab {
  status = '';
  online = new Set([1]);
  unsent = [];
  shown = []; // clientIds, as `heard`
  heard = []; // through a leader
  backlog = []; // what happens while it sleeps
  #connection = null; // an object for each, so that what belongs to an older one is not heard
  #isFetching = false;
  #listeners = {};

  constructor(world, server, { SharedConnection }, ownerId) {
    Object.assign(this, { world, server, ownerId });
    this.seqWindow = new SeqWindow({ first: 1, last: 0 });
    this.changes = new ChangeLog(0);
    this.document = {
      visibilityState: world.random() < 0.5 ? 'visible' : 'hidden',
      addEventListener: (type, listener) => { this.#listeners[type] = listener; },
    };
    world.after(0, this, () => {
      this.shared = new SharedConnection(ownerId, `connection:${ownerId}`, this);
    });
  }

  // What a SharedConnection needs of it

  connect() {
    if (this.#connection?.isOpen) return;
    this.setStatus('reconnecting');
    if (this.#connection) return;
    const connection = this.#connection = { isOpen: false, lastAt: 0 };
    this.world.after(this.latency() * 2, this, () => {
      if (this.#connection !== connection) return;
      connection.isOpen = true;
      this.server.connected.add(this);
      this.setStatus('online');
    });
  }

  disconnect() {
    this.drop();
  }

  drop() {
    this.#connection = null;
    this.server.connected.delete(this);
  }

  emit(event, payload) {
    const connection = this.#connection;
    if (!connection?.isOpen) return Promise.resolve(null);
    return new Promise((resolve) => {
      this.world.after(4_000, this, () => resolve(null));
      this.world.after(this.latency(), null, () => {
        if (this.#connection !== connection) return;
        const ack = this.server.emit(this, event, payload);
        this.#arrive(connection, () => resolve(ack));
      });
    });
  }

  emitVolatile() {}

  markDelivered() {}

  unshare() {
    assert.fail('no WebSocket has come');
  }

  setStatus(status) {
    this.status = status;
    this.shared?.tellStatus();
    if (status === 'online') this.catchUp();
  }

  receive(event, payload) {
    if (event === 'messageChanged') this.takeChange(payload);
    if (event !== 'receiveMessage') return;
    this.heard.push(payload.clientId);
    this.take([payload]);
  }

  // What the server does

  latency() {
    return this.world.random() * LATENCY_MS;
  }

  hear(event, payload) {
    this.#arrive(this.#connection, () => {
      this.shared.relay(event, payload);
      if (event === 'messageChanged') this.takeChange(payload);
      else this.take([payload]);
    });
  }

  #arrive(connection, action) {
    connection.lastAt = Math.max(connection.lastAt, this.world.now + this.latency());
    this.world.after(connection.lastAt - this.world.now, this, () => this.#connection === connection && action());
  }

  /** The network cuts its connection, if it has one. */
  cut() {
    if (!this.#connection?.isOpen) return;
    this.drop();
    if (this.shared.isFollowing) return;
    this.setStatus('reconnecting');
    this.world.after(RECONNECTION_MS, this, () => this.shared.isFollowing || this.connect());
  }

  // What its page does

  async catchUp() {
    const ack = await this.shared.emit('markRead', {});
    if (!ack) return;
    this.take([], ack.lastSeq);
    this.changes.hear(ack.lastChange);
    this.fetchChanges();
  }

  takeChange({ change }) {
    this.changes.receive(change);
    this.fetchChanges();
  }

  fetchChanges() {
    if (!this.changes.hasGap || this.isFetchingChanges) return;
    this.isFetchingChanges = true;
    const { known } = this.changes;
    this.world.after(this.latency(), this, () => {
      this.isFetchingChanges = false;
      const lastChange = this.server.changes.length;
      this.changes.fetched(known, { messages: [{ lastChange }], lastChange });
    });
  }

  take(messages, head = 0) {
    const { show, fetch } = this.seqWindow.receive(messages, head);
    this.shown.push(...show.map(({ clientId }) => clientId));
    if (!fetch || this.#isFetching) return;
    this.#isFetching = true;
    this.world.after(this.latency(), this, () => {
      this.#isFetching = false;
      this.take(this.server.log.slice(fetch.after), this.server.log.length);
    });
  }

  async write(clientId) {
    const ack = this.status === 'online' ? await this.shared.emit('sendMessage', { clientId }) : null;
    if (ack?.ok) this.take([ack.message]);
    else this.world.after(RETRY_MS, this, () => this.write(clientId));
  }

  async change(clientId) {
    const ack = this.status === 'online' ? await this.shared.emit('changeMessage', { clientId, conversationId: 1 }) : null;
    if (ack?.ok) this.takeChange(ack);
    else this.world.after(RETRY_MS, this, () => this.change(clientId));
  }

  // What the browser does with it

  /** Sleeps: hung, or frozen, which the page is told. */
  sleep(isFrozen) {
    if (isFrozen) this.#listeners.freeze();
    this.isAsleep = true;
    this.isFrozen = isFrozen;
  }

  wake() {
    if (!this.isAsleep) return;
    this.isAsleep = false;
    const due = this.backlog.splice(0);
    if (this.isFrozen) this.world.after(0, this, () => this.#listeners.resume());
    for (const { action, isOfLock } of due) this.world.after(isOfLock ? this.world.random() * LATENCY_MS : 0, this, action);
  }
}
