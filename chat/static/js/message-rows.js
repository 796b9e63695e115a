/**
 * The rows of the list, `li.message`: first the messages in the order of `seq`, then the entries of the outbox, which
 * have no `seq` yet. An entry and the message that it becomes are one row.
 */

import { makeBubble, setBubbleState, showRefusal, updateBubble } from './bubble.js';
import { showHour } from './dates.js';
import { addLinks } from './links.js';
import { makeNotice } from './notice.js';
import { find, findAll, me, part } from './page.js';
import { Separators } from './separators.js';

const ROW = 'li.message, li.notice';
const MAX_ELEMENTS = 320; // of the list: messages, days and the divider
const ELEMENTS_AFTER_TRIM = 280; // many go at once, since each time all that stay are laid out again

export class MessageRows {
  /** `onRefused(words)` is called when the server has refused an entry. */
  constructor(list, { messagesUrl, isRoom, peerReadSeq, onRefused }) {
    Object.assign(this, { list, messagesUrl, isRoom, peerReadSeq, onRefused });
    this.separators = new Separators(list);
    for (const row of this.all) { // the server has rendered them
      this.#register(row);
      showHour(part(row, 'time'));
      if (!row.matches('.notice')) addLinks(part(row, 'text'));
    }
  }

  #register(row) {
    this.separators.register(row);
    if (row.dataset.seq && part(row, 'details')) part(row, 'details').href = `${this.messagesUrl}/${row.dataset.seq}`;
  }

  get all() {
    return findAll(ROW, this.list);
  }

  get seqs() {
    return findAll('li[data-seq]', this.list).map((row) => Number(row.dataset.seq));
  }

  /** The `seq` of the other person's newest message here; 0 if there is none. */
  get newestOfPeer() {
    return Number(findAll('li.theirs, li.notice', this.list).at(-1)?.dataset.seq ?? 0);
  }

  withSeq(seq) {
    return find(`[data-seq="${seq}"]`, this.list);
  }

  own(clientId) {
    return find(`li.mine[data-client-id="${CSS.escape(clientId)}"]`, this.list);
  }

  #make(message) {
    const row = message.kind && message.kind !== 'text' ? makeNotice(message) : makeBubble(message, this.isRoom);
    this.#showRead(row);
    this.#register(row);
    return row;
  }

  prepend(messages) {
    this.list.prepend(...messages.map((message) => this.#make(message)));
  }

  /** Puts a message after the last one that has a seq. The row of its entry, if there is one, becomes the message's. */
  put(message) {
    const waiting = message.senderId === me.id ? this.own(message.clientId) : null;
    const last = this.all.findLast((row) => row.dataset.seq);
    const row = waiting ?? this.#make(message);
    const isBefore = waiting && last && waiting.compareDocumentPosition(last) & Node.DOCUMENT_POSITION_FOLLOWING;
    if (!waiting || isBefore) {
      if (last) last.after(row);
      else this.list.prepend(row);
    }
    if (waiting) {
      updateBubble(row, message);
      this.#showRead(row);
      this.#register(row);
    }
    return row;
  }

  /** Shows the entries of the outbox as they are now. */
  putEntries(entries) {
    const clientIds = new Set(entries.map((entry) => entry.clientId));
    const isGone = (row) => !row.dataset.seq && row.dataset.state !== 'sent' && !clientIds.has(row.dataset.clientId);
    this.all.filter(isGone).forEach((row) => row.remove());
    entries.forEach((entry) => this.#putEntry(entry));
  }

  #putEntry(entry) {
    const known = this.own(entry.clientId);
    if (known?.dataset.seq || known?.dataset.state === 'sent') return;
    const timestamp = new Date(entry.createdAt).toISOString();
    const row = known ?? this.#make({ ...entry, senderId: me.id, timestamp });
    const isRetried = known?.dataset.state === 'failed' && entry.state === 'waiting';
    if (!known || isRetried) this.list.append(row);
    const isNews = known?.dataset.state === 'pending' && entry.state === 'failed';
    setBubbleState(row, entry.state === 'failed' ? 'failed' : 'pending');
    if (!entry.reason) return;
    const words = showRefusal(row, entry);
    if (isNews) this.onRefused(words);
  }

  /** Puts messages in place of those that are there. The entries of the outbox stay. */
  replaceAll(messages) {
    const unsent = findAll('li.message:not([data-seq]):not([data-state="sent"])', this.list);
    this.list.replaceChildren(...unsent);
    messages.forEach((message) => this.put(message));
    this.separators.removeDivider();
  }

  /** Removes rows at one end when there are too many, but none without a seq. Returns how many messages they were. */
  trim(isAtStart) {
    const placed = [...this.list.children].filter((element) => this.separators.isPlaced(element));
    if (placed.length <= MAX_ELEMENTS) return 0;
    const removed = isAtStart ? placed.slice(0, -ELEMENTS_AFTER_TRIM) : placed.slice(ELEMENTS_AFTER_TRIM);
    removed.forEach((element) => element.remove());
    return removed.filter((element) => element.dataset.seq).length;
  }

  /** Whether a message of one's own here was not read by everybody. */
  get hasUnread() {
    return Boolean(find('li.mine[data-state="sent"]', this.list));
  }

  /** The other person, or everybody in the room, has read up to `seq`. */
  setPeerRead(seq) {
    this.peerReadSeq = Math.max(this.peerReadSeq, seq);
    findAll('li.mine[data-state="sent"]', this.list).forEach((row) => this.#showRead(row));
  }

  #showRead(row) {
    if (row.matches('.mine') && row.dataset.seq && Number(row.dataset.seq) <= this.peerReadSeq) setBubbleState(row, 'read');
  }
}
