/** How many messages of each person are unread, and up to which `seq` their conversations have been read. */

import { find, findAll } from './page.js';

const sum = (counts) => [...counts].reduce((total, count) => total + count, 0);

export class UnreadCounts {
  #counts = new Map(); // user id → messages; of everyone whom the list has shown, whatever a search shows now
  #elsewhere = 0; // messages of people whom the list has not shown
  #readSeqs = new Map(); // user id → seq

  get(id) {
    return this.#counts.get(id) ?? 0;
  }

  set(id, count) {
    this.#counts.set(id, count);
  }

  get total() {
    return this.#elsewhere + sum(this.#counts.values());
  }

  get hasElsewhere() {
    return this.#elsewhere > 0;
  }

  readSeq(id) {
    return this.#readSeqs.get(id) ?? 0;
  }

  /** Returns whether it is news that the conversation has been read up to `seq`. */
  setReadSeq(id, seq) {
    const isNews = seq > this.readSeq(id);
    if (isNews) this.#readSeqs.set(id, seq);
    return isNews;
  }

  forgetRead(id) {
    this.#readSeqs.delete(id);
  }

  /** Takes the total of all people from an answer of the server, which does not show them all, but `cards`. */
  countElsewhere(page, cards = findAll('li.person', page)) {
    const list = find('#people', page);
    const shown = cards.map(({ dataset }) => [Number(dataset.userId), Number(dataset.unread)]);
    this.#elsewhere = Math.max(0, Number(list.dataset.unreadTotal ?? 0) - sum(new Map([...this.#counts, ...shown]).values()));
  }
}
