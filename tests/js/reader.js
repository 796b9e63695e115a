/** Somebody else's tab of one conversation: pushes are hints, a jump is fetched, the heartbeat shows a lost tail. */

import assert from 'node:assert/strict';

const ACKNOWLEDGEMENT_MS = 4_000;
const HEARTBEAT_MS = 15_000;
const PAGE_LENGTH = 7; // short, so that a jump takes several pages
const CHANGES_LENGTH = 3; // changed messages
const MAX_VERSIONS = 1_000;

export class Reader {
  isAway = false; // nothing reaches it

  constructor(world, server, parts, key) {
    Object.assign(this, { world, server, ...parts, key });
    this.open();
    this.beat();
  }

  /** Shows the page as the server has it now. What is on its way to the page before is of no use, but pushes come all the same. */
  open() {
    const { SeqWindow, ChangeLog, Versions } = this;
    this.shown = this.stored.map((message) => ({ ...message }));
    this.log = new SeqWindow({ first: 1, last: this.shown.length });
    this.changes = new ChangeLog(this.server.changes.get(this.key).length);
    this.versions = new Versions(MAX_VERSIONS);
    this.isFetching = this.isFetchingChanges = false;
  }

  /** Something that was pushed. */
  hear(action) {
    if (!this.isAway) action(this);
  }

  beat() {
    this.world.after(HEARTBEAT_MS, () => this.beat());
    this.askHead();
  }

  askHead() {
    this.world.carry(() => {
      const head = this.stored.length;
      const lastChange = this.server.changes.get(this.key).length;
      this.world.carry(() => this.hear(() => {
        this.receive([], head);
        this.changes.hear(lastChange);
        this.fetchChanges();
      }));
    });
  }

  get stored() {
    return this.server.logs.get(this.key);
  }

  /** Takes messages as message-list.js does. */
  receive(messages, head) {
    const newest = messages.map((message) => this.versions.newest(message.seq, message));
    const { show, changed, fetch } = this.sortOut(this.log, newest, head, (seq) => this.shown[seq - 1]?.lastChange);
    for (const message of changed) this.shown[message.seq - 1] = message;
    this.shown.push(...show);
    if (show.length) assert.equal(show.at(-1).seq, this.shown.length, 'what is shown is a run without a hole or a repeat');
    if (fetch && !this.isFetching) this.fetch(fetch);
  }

  update(messages) {
    messages.forEach((message) => this.versions.remember(message.seq, message));
    this.receive(messages);
  }

  changed(number, message) {
    this.update([message]);
    this.changes.receive(number);
    this.fetchChanges();
  }

  fetch({ after }) {
    this.isFetching = true;
    this.ask(() => ({ messages: this.stored.slice(after, after + PAGE_LENGTH), head: this.stored.length }), (page) => {
      this.isFetching = false;
      if (page) this.changes.readPage(page.lastChange);
      this.receive(page?.messages ?? [], page?.head ?? 0);
      this.fetchChanges();
    });
  }

  fetchChanges() {
    if (this.isFetchingChanges || !this.changes.hasGap) return;
    this.isFetchingChanges = true;
    const { known } = this.changes;
    const changedSince = () => this.stored.filter(({ lastChange }) => lastChange > known).sort((a, b) => a.lastChange - b.lastChange);
    this.ask(() => ({ messages: changedSince().slice(0, CHANGES_LENGTH) }), (page) => {
      this.isFetchingChanges = false;
      if (page) this.update(page.messages);
      if (page && this.changes.fetched(known, page)) this.fetchChanges();
    });
  }

  /** Asks the server, which reads the numbers first; calls `answered` once, with null if nothing came. */
  ask(read, answered) {
    const { log } = this;
    let isAnswered = false;
    const answer = (page) => {
      if (isAnswered || log !== this.log || (page && this.isAway)) return;
      isAnswered = true;
      answered(page);
    };
    this.world.after(ACKNOWLEDGEMENT_MS, () => answer(null));
    this.world.carry(() => {
      const page = read();
      const messages = page.messages.map((message) => ({ ...message }));
      const lastChange = this.server.changes.get(this.key).length;
      this.world.carry(() => answer({ ...page, messages, lastChange }));
    });
  }
}
