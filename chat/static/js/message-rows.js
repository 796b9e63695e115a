/**
 * The rows of the list, `li.message`: first the messages in the order of `seq`, then the entries of the outbox, which
 * have no `seq` yet. An entry and the message that it becomes are one row.
 *
 * A row shows the message as the server has it, and over it what was done to it and waits in the outbox (pending-changes.js).
 */

import { makeBubble, setBubbleState, showContent, showRefusal, updateBubble } from './bubble.js';
import { showExtras } from './bubble-parts.js';
import { showHour } from './dates.js';
import { filesOf } from './file-words.js';
import { releaseFiles, showWaiting } from './files.js';
import { makeNotice } from './notice.js';
import { find, findAll, me, part } from './page.js';
import { Separators } from './separators.js';
import { sourceOf } from './text-element.js';
import { versionOf } from './versions.js';

const ROW = 'li.message, li.notice';
const MAX_ELEMENTS = 320; // of the list: messages, days and the divider
const ELEMENTS_AFTER_TRIM = 280; // many go at once, since each time all that stay are laid out again

export class MessageRows {
  pending = null; // the PendingChanges, once something was done to a message
  #messages = new WeakMap(); // row → the message as the server has it, or the entry; of rows that the server has rendered none
  #quotes = new Map(); // seq → M, of messages that were answered on this page

  /**
   * `key` is that of the conversation. `onRefused(words)` is called when the server has refused an entry. `blobOf(clientId)` resolves to the
   * content of a file that waits.
   */
  constructor(list, { key, messagesUrl, isRoom, peerReadSeq, onRefused, blobOf }) {
    Object.assign(this, { list, key, messagesUrl, isRoom, peerReadSeq, onRefused, blobOf });
    this.separators = new Separators(list);
    if (find('.code-block', list)) import('./code-block.js').then(({ colourBlocks }) => colourBlocks(list)).catch(() => {});
    for (const row of this.all) { // the server has rendered them
      this.#register(row);
      showHour(part(row, 'time'));
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

  /** The row that stands for what an entry names: `{seq}` or `{clientId}`. */
  named({ seq, clientId }) {
    return seq ? this.withSeq(seq) : this.own(clientId);
  }

  #make(message) {
    const isNotice = message.kind && message.kind !== 'text';
    const row = isNotice ? makeNotice(message) : makeBubble(this.#shown(message), this.isRoom);
    this.#messages.set(row, message);
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
      this.#messages.set(row, message);
      updateBubble(row, this.#shown(message));
      this.#showRead(row);
      this.#register(row);
    }
    return row;
  }

  // What changes

  /** The number of the last change of a message that is here; undefined if it is not. */
  lastChangeOf(seq) {
    const row = this.withSeq(seq);
    return row ? Number(row.dataset.lastChange ?? 0) : undefined;
  }

  /** Shows a message as it has become. */
  update(message) {
    const row = this.withSeq(message.seq);
    this.#messages.set(row, message);
    this.#draw(row);
  }

  /** Shows again what quotes one of these messages, wherever they are. */
  updateQuotes(seqs) {
    const changed = new Set(seqs);
    for (const quote of changed.size ? findAll('[data-quoted-seq]', this.list) : []) {
      const seq = Number(quote.dataset.quotedSeq);
      if (changed.has(seq)) showExtras(quote.closest('li.message'), { replyTo: this.#quoteOf({ seq }) });
    }
  }

  /** Keeps in mind a message that is answered, for its quote. */
  willQuote(message) {
    if (message.seq) this.#quotes.set(message.seq, message);
  }

  #draw(row, message = this.#messages.get(row)) {
    if (!row.matches('.notice')) showContent(row, this.#shown(message));
  }

  #shown(message) {
    const shown = this.pending?.applied(message) ?? message;
    return shown.replyTo ? { ...shown, replyTo: this.#quoteOf(shown.replyTo) } : shown;
  }

  /** A quote as it is known by now: what is quoted may have changed since, and an entry has the number of it alone. */
  #quoteOf(replyTo) {
    if (replyTo.deleted) return replyTo; // it stays so, whatever version of it is remembered
    const row = this.named(replyTo);
    const known = row ? readQuoted(row) : versionOf(this.key, replyTo.seq) ?? (replyTo.message === undefined && this.#quotes.get(replyTo.seq));
    if (!known) return { sender: '', senderId: 0, message: '', ...replyTo };
    const { sender, senderId, message, deleted, files, file = files?.[0] ?? null } = known;
    return { ...replyTo, sender, senderId, message, words: undefined, deleted, file };
  }

  /** Shows how much of the files of an entry is there, in bytes. */
  showUploading(entry, loaded) {
    const row = this.own(entry.clientId);
    if (row) showWaiting(row, entry, this.blobOf, loaded);
  }

  /** Loads what shows changes that wait. */
  async loadPending() {
    const { PendingChanges } = await import('./message-changes.js');
    this.pending ??= new PendingChanges(this.#messages);
  }

  /** Shows the entries of the outbox as they are now: messages, and over others what was done to them. */
  putEntries(entries) {
    this.#putMessages(entries.filter(({ kind }) => kind !== 'change'));
    if (this.pending) this.#putChanges(entries.filter(({ kind, state }) => kind === 'change' && state === 'waiting'));
  }

  #putChanges(entries) {
    const names = this.pending.take(entries);
    for (const name of names) {
      const row = typeof name === 'number' ? this.withSeq(name) : this.own(name);
      if (row) this.#draw(row, this.pending.messageOf(row));
    }
    this.updateQuotes(names);
  }

  #putMessages(entries) {
    const clientIds = new Set(entries.map((entry) => entry.clientId));
    const isGone = (row) => !row.dataset.seq && row.dataset.state !== 'sent' && !clientIds.has(row.dataset.clientId);
    this.all.filter(isGone).forEach((row) => row.remove());
    releaseFiles();
    entries.forEach((entry) => this.#putEntry(entry));
  }

  #putEntry(entry) {
    const known = this.own(entry.clientId);
    if (known?.dataset.seq || known?.dataset.state === 'sent') return;
    const timestamp = new Date(entry.createdAt).toISOString();
    const message = { ...entry, senderId: me.id, sender: '', timestamp, reactions: [] };
    const row = known ?? this.#make(message);
    if (known && isOther(this.#messages.get(known), entry)) {
      this.#messages.set(known, message);
      this.#draw(known);
    }
    const isRetried = known?.dataset.state === 'failed' && entry.state === 'waiting';
    if (!known || isRetried) this.list.append(row);
    const isNews = known?.dataset.state === 'pending' && entry.state === 'failed';
    setBubbleState(row, entry.state === 'failed' ? 'failed' : 'pending');
    if (entry.files) showWaiting(row, entry, this.blobOf);
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

/** Whether an entry is not as its row shows it: it was edited, or what it answers has got its seq. */
const isOther = ({ message, replyTo }, entry) => message !== entry.message || replyTo?.seq !== entry.replyTo?.seq;

function readQuoted(row) {
  const { senderId, deleted } = row.dataset;
  return {
    sender: part(row, 'sender')?.textContent, senderId: Number(senderId), message: sourceOf(part(row, 'text')), deleted: deleted !== undefined,
    file: filesOf(row)[0] ?? null,
  };
}
