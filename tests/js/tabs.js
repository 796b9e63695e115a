/**
 * Schedules of virtual time for shared-connection.js: the tabs of two people close, freeze and hang, the network cuts
 * their connections, and messages come and go. Everything follows from one seed.
 */

import assert from 'node:assert/strict';

import { Server, Tab } from './tab.js';
import { World } from './virtual-browser.js';

const CHAOS_MS = 60_000;
const CALM_MS = 30_000;
const ASLEEP_MS = 20_000;
const MIN_TABS = 2;
const MORE_TABS = 5;
const MESSAGES = 20;
const FAULTS = 4; // of each kind

/** A person: their conversation, their tabs, and what happens to these. */
class Person {
  server = new Server();
  tabs = [];
  written = []; // [tab, clientId]
  done = []; // changes, likewise

  constructor(world, module, id) {
    Object.assign(this, { world, module, id });
  }

  open() {
    this.tabs.push(new Tab(this.world, this.server, this.module, this.id));
  }

  close(tab) {
    if (tab.isClosed) return;
    this.world.close(tab);
    this.tabs.splice(this.tabs.indexOf(tab), 1);
  }

  write(tab, clientId) {
    this.written.push([tab, clientId]);
    tab.write(clientId);
  }

  change(tab, clientId) {
    this.done.push([tab, clientId]);
    tab.change(clientId);
  }

  /** Somebody else writes. */
  hear(clientId) {
    this.server.store({ seq: this.server.log.length + 1, clientId });
  }

  /** Does something at a random time to one of the tabs that are awake then. */
  some(action) {
    const { world } = this;
    world.after(world.random() * CHAOS_MS, null, () => {
      const tab = this.anyTab();
      if (tab && !tab.isAsleep) world.after(0, tab, () => action(tab));
    });
  }

  anyTab() {
    return this.tabs[Math.floor(this.world.random() * this.tabs.length)];
  }

  plan() {
    const { world } = this;
    const count = MIN_TABS + Math.floor(world.random() * MORE_TABS);
    for (let tab = 0; tab < count; tab += 1) world.after(world.random() * 1_000, null, () => this.open());
    for (let number = 0; number < MESSAGES; number += 1) {
      if (world.random() < 0.5) this.some((tab) => this.write(tab, `own ${this.id}/${number}`));
      else world.after(world.random() * CHAOS_MS, null, () => this.hear(`other's ${this.id}/${number}`));
      if (world.random() < 0.5) this.some((tab) => this.change(tab, `own change ${this.id}/${number}`));
      else world.after(world.random() * CHAOS_MS, null, () => this.server.change(`other's change ${this.id}/${number}`));
    }
    for (let fault = 0; fault < FAULTS; fault += 1) {
      this.some((tab) => world.after(0, null, () => {
        this.close(tab);
        this.open();
      }));
      this.some((tab) => tab.cut());
      this.some((tab) => {
        tab.sleep(world.random() < 0.5);
        world.after(world.random() * ASLEEP_MS, null, () => tab.wake());
      });
    }
    world.after(CHAOS_MS + CALM_MS / 2, null, () => this.writeLast());
  }

  /** In the calm nothing follows that would heal a loss. */
  writeLast() {
    const tab = this.anyTab();
    if (this.world.random() < 0.5) this.world.after(0, tab, () => this.write(tab, `own ${this.id}/last`));
    else this.hear(`other's ${this.id}/last`);
    if (this.world.random() < 0.5) this.world.after(0, tab, () => this.change(tab, `own change ${this.id}/last`));
    else this.server.change(`other's change ${this.id}/last`);
  }

  wake() {
    this.tabs.forEach((tab) => tab.wake());
  }
}

/** Lives one schedule of two people, and checks that every tab shows everything by one connection for each of them. */
export async function simulateTabs(seed, module) {
  const world = new World(seed);
  world.installGlobals();
  const people = [1, 2].map((id) => new Person(world, module, id));
  people.forEach((person) => person.plan());
  await world.runUntil(CHAOS_MS);
  people.forEach((person) => person.wake());
  await world.runUntil(CHAOS_MS + CALM_MS);
  people.forEach(check);
}

function check({ server, tabs, written, done }) {
  const stored = server.log.map(({ clientId }) => clientId);
  assert.equal(new Set(stored).size, stored.length, 'nothing is stored twice');
  for (const [tab, clientId] of written) assert.ok(tab.isClosed || stored.includes(clientId), 'what an open tab has written is stored');
  for (const [tab, clientId] of done) assert.ok(tab.isClosed || server.changes.includes(clientId), 'what an open tab has changed is stored');
  for (const { changes } of tabs) assert.equal(changes.known, server.changes.length, 'every tab knows of every change');
  for (const { shown, heard } of tabs) {
    assert.deepEqual(shown, stored, 'every tab shows everything, once and in order');
    const others = heard.filter((clientId) => !clientId.startsWith('own'));
    assert.equal(new Set(others).size, others.length, 'no leader repeats what another one has told');
  }
  assert.equal(tabs.filter((tab) => tab.shared.isLeading).length, 1, 'one tab leads');
  assert.equal(server.connected.size, 1, 'all share one connection');
}
