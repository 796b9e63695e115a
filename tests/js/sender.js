/** A person who writes and changes messages, with the outbox in as many tabs; without Web Locks all of them send. */

import assert from 'node:assert/strict';

import { keyOf } from '../../chat/static/js/address.js';
import { KEYS } from './chat-server.js';

const ACKNOWLEDGEMENT_MS = 4_000;

export class Sender {
  kept = new Map(); // what IndexedDB holds
  written = []; // messages {clientId, key, message, answers: the clientId of the message that is answered}
  done = []; // changes {clientId, key, verb, about: the clientId of the message}
  order = new Map(); // clientId → when it was written, done or tried again, as a number that grows
  deleted = new Set(); // clientIds of what the person has taken back
  refused = new Set(); // clientIds of what was refused, even if it was tried again
  gone = new Set(); // clientIds of the changes of what is not there for the person any more
  held = new Set(); // clientIds of the changes of what is to be deleted
  lives = 0;
  #count = 0;

  constructor(world, server, Outbox, tabCount) {
    Object.assign(this, { world, server, Outbox });
    this.tabs = Array.from({ length: tabCount }, () => this.openTab());
  }

  openTab() {
    const entries = [...this.kept.values()].map((entry) => ({ ...entry }));
    return { outbox: new this.Outbox(entries), life: (this.lives += 1) };
  }

  isAlive(tab) {
    return this.tabs.includes(tab);
  }

  pick(list) {
    return list[Math.floor(this.world.random() * list.length)];
  }

  #next() {
    const clientId = String(this.#count++);
    this.order.set(clientId, this.#count);
    return clientId;
  }

  write(address, message) {
    const tab = this.pick(this.tabs);
    const key = keyOf(address);
    const named = this.world.chance(0.3) ? this.#anyMessage(tab, key) : null;
    const clientId = this.#next();
    const replyTo = named?.target ?? null;
    const entry = tab.outbox.add({ clientId, ...address, message, replyTo, isUntried: this.world.chance(0.5) }, this.world.now);
    this.written.push({ clientId, key, message, answers: named?.clientId });
    this.keep(entry);
    this.run(tab);
  }

  /** Names a message of a conversation: one that is stored, or one of one's own that is not yet. */
  #anyMessage(tab, key) {
    const unsent = tab.outbox.to(key).filter(({ kind, state }) => kind !== 'change' && state === 'waiting');
    const stored = this.server.logs.get(key);
    const row = this.pick([...unsent, ...stored]);
    if (!row) return null;
    if (row.seq && tab.outbox.get(row.clientId)) this.#sent(row, { message: row }, tab.outbox.naming(row.clientId)); // it was pushed
    return row.seq ? { clientId: row.clientId, target: { seq: row.seq, conversationId: key }, row } : { clientId: row.clientId, target: { clientId: row.clientId } };
  }

  /** Does something to a message, as dispatcher.js does it. */
  change(address) {
    const tab = this.pick(this.tabs);
    const key = keyOf(address);
    const named = this.#anyMessage(tab, key);
    if (!named) return;
    const isOwn = !Number.isNaN(Number(named.clientId));
    const verb = this.#anyVerb(isOwn, named.row);
    if (this.#amend(tab, named.clientId, verb)) return;
    if (verb.delete) tab.outbox.changesOf(key, named.target).forEach((entry) => this.held.add(entry.clientId));
    const clientId = this.#next();
    const basedOn = verb.edit === undefined ? null : tab.outbox.waitingEdit(key, named.target);
    const entry = tab.outbox.add({ clientId, kind: 'change', ...address, target: named.target, verb, basedOn }, this.world.now);
    this.done.push({ clientId, key, verb, about: named.clientId });
    this.keep(entry);
    this.run(tab);
  }

  #anyVerb(isOwn, row) {
    const kind = this.pick(isOwn ? ['edit', 'edit', 'delete', 'react', 'pin'] : ['react', 'react', 'pin']);
    if (kind === 'edit') return { edit: this.world.chance(0.05) ? 'bad' : `edit ${this.#count}`, seen: row?.lastChange ?? 0 };
    if (kind === 'delete') return { delete: true };
    if (kind === 'react') return { react: this.pick(['+1', 'heart']), on: this.world.chance(0.7) };
    return { pin: this.world.chance(0.5) };
  }

  /** What nobody has tried to send is changed where it is kept. */
  #amend(tab, clientId, verb) {
    const entry = tab.outbox.get(clientId);
    const stored = this.kept.get(clientId);
    if (!entry || !stored?.isUntried || tab.outbox.isInFlight(entry) || (verb.edit === undefined && !verb.delete)) return false;
    const written = this.written.find((one) => one.clientId === clientId);
    if (verb.delete) {
      this.#takeBack(clientId);
    } else {
      written.message = verb.edit;
      this.keep({ ...stored, message: verb.edit });
    }
    return true;
  }

  #takeBack(clientId) {
    this.deleted.add(clientId);
    this.forget(clientId);
  }

  keep(entry) {
    this.kept.set(entry.clientId, { ...entry });
    for (const tab of this.tabs) tab.outbox.put({ ...entry });
  }

  forget(clientId) {
    for (const [id, { target }] of this.kept) if (id === clientId || target?.clientId === clientId) this.kept.delete(id);
    for (const tab of this.tabs) tab.outbox.remove(clientId);
  }

  run(tab) {
    if (!this.isAlive(tab)) return;
    for (const entry of tab.outbox.take(this.world.now)) this.send(tab, entry);
    const wait = tab.outbox.nextAt() - this.world.now;
    if (wait < Infinity && !(tab.wakesAt > this.world.now && tab.wakesAt <= this.world.now + wait)) {
      tab.wakesAt = this.world.now + Math.max(1, wait);
      this.world.after(Math.max(1, wait), () => this.run(tab));
    }
  }

  send(tab, entry) {
    assert.ok(!entry.target || entry.target.seq, 'a change leaves when its message has a seq');
    const waiting = tab.outbox.to(keyOf(entry)).filter(({ state }) => state === 'waiting');
    const ending = new Set(waiting.flatMap((one) => tab.outbox.supersededBy(one)));
    assert.equal(waiting.find((one) => !one.target?.clientId && !ending.has(one)).clientId, entry.clientId, 'the first of a conversation goes first');
    if (entry.isUntried) this.keep(Object.assign(entry, { isUntried: false }));
    let isSettled = false;
    const settle = (answer) => {
      if (isSettled || !this.isAlive(tab)) return;
      isSettled = true;
      const naming = tab.outbox.naming(entry.clientId);
      const superseded = tab.outbox.supersededBy(entry);
      const outcome = tab.outbox.settle(entry, answer, this.world.now);
      assert.ok(outcome !== 'sent' || answer?.ok, 'what is shown as sent was acknowledged');
      if (outcome === 'sent') superseded.forEach(({ clientId }) => this.#takeBack(clientId));
      if (outcome === 'sent') this.#sent(entry, answer, naming);
      if (outcome === 'failed' && this.kept.has(entry.clientId)) this.#refused(tab, entry, answer);
      this.run(tab);
    };
    this.world.after(ACKNOWLEDGEMENT_MS, () => settle(null));
    const sent = { ...entry };
    this.world.carry(() => {
      const answer = this.server.store(sent);
      this.world.carry(() => settle(answer));
    });
  }

  #sent({ clientId }, answer, naming) {
    for (const tab of this.tabs) tab.outbox.acknowledged(clientId, answer);
    this.kept.delete(clientId);
    for (const entry of naming) if (this.kept.has(entry.clientId)) this.kept.set(entry.clientId, { ...entry });
  }

  #refused(tab, entry, answer) {
    const isGone = answer.message?.deleted || answer.error.code === 'not_found';
    const isKept = !entry.verb || (entry.verb.edit !== undefined && !isGone);
    this.refused.add(entry.clientId);
    if (entry.verb && isGone) this.gone.add(entry.clientId);
    const failed = tab.outbox.get(entry.clientId);
    if (!isKept) this.forget(entry.clientId);
    else if (failed) this.keep(failed);
  }

  /** Ends a tab between two instants; another opens with what the store holds. */
  crash() {
    const index = Math.floor(this.world.random() * this.tabs.length);
    this.tabs[index] = this.openTab();
    this.run(this.tabs[index]);
  }

  /** The person looks at what failed, and retries or deletes it. */
  settleFailed() {
    const [tab] = this.tabs;
    const failed = KEYS.flatMap((key) => tab.outbox.to(key)).find((entry) => entry.state === 'failed');
    if (!failed) return;
    if (this.world.chance(0.5)) {
      this.order.set(failed.clientId, (this.#count += 1));
      const key = keyOf(failed);
      const row = this.server.logs.get(key)[(failed.target?.seq ?? 0) - 1];
      const basedOn = failed.verb && tab.outbox.waitingEdit(key, failed.target);
      const fields = failed.verb ? { verb: { ...failed.verb, seen: row.lastChange }, basedOn } : {};
      this.keep(tab.outbox.retry(failed.clientId, this.world.now, fields));
      this.run(tab);
    } else {
      this.#takeBack(failed.clientId);
    }
  }

  networkReturned() {
    for (const tab of this.tabs) {
      tab.outbox.networkReturned();
      this.run(tab);
    }
  }
}
