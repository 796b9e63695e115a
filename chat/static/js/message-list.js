/**
 * A part of the open conversation on the page. It grows where its reader scrolls to, and shrinks at the other end.
 *
 * seq-window.js decides which messages belong here, message-history.js fetches them, message-rows.js puts them into the
 * page, and scroll-anchor.js keeps in place what the reader looks at.
 */

import { setBubbleState } from './bubble.js';
import { ChangeLog, sortOut } from './changes.js';
import { completeness, showCompleteness } from './completeness.js';
import { HistoryRequests } from './history-requests.js';
import { MessageRows } from './message-rows.js';
import { NewPill } from './new-pill.js';
import { find, isWatched, me } from './page.js';
import { ScrollAnchor } from './scroll-anchor.js';
import { SeqWindow } from './seq-window.js';
import { newest, remember } from './versions.js';

const LOAD_AHEAD_PX = 800;

export class MessageList {
  isOpening = true; // it stands where the server's page begins, at the end, and not yet where its reader is led
  wantsEnd = false; // the reader is on the way to the newest messages, which are still to be fetched
  #newestSeq; // of all messages that came
  #isChecked = true; // the server has said how far the conversation goes since the connection began

  /**
   * Takes over the list of the conversation `key`, which the server rendered into `section`. `unsent()` gives the entries of the
   * outbox, `onOwn(message)` is called with what has come of one's own, `onEnd()` whenever the newest message is on the screen,
   * `onRefused(words)` when one is refused, `blobOf` is the outbox's. `signal` ends all.
   */
  constructor(section, { key, unsent, onOwn, onEnd, onRefused, blobOf, signal }) {
    Object.assign(this, { key, unsent, onOwn, onEnd, signal });
    const { messagesUrl, roomId, conversationId, readSeq, peerReadSeq, lastSeq, lastChange } = section.dataset;
    this.conversationId = Number(conversationId); // 0 before the first message
    this.messagesUrl = messagesUrl;
    this.readSeq = Number(readSeq);
    this.scroll = find('#history-scroll', section);
    this.list = find('#history', section);
    this.start = find('#history-start', section);
    this.pill = new NewPill(section, { onPress: () => this.#pressedPill(), signal });
    this.mark = find('#completeness', section);
    this.history = new HistoryRequests(this, () => this.#askAgain());
    find('#older', section)?.remove(); // a link for those without JavaScript
    this.rows = new MessageRows(this.list, { key, messagesUrl, isRoom: Boolean(roomId), peerReadSeq: Number(peerReadSeq), onRefused, blobOf });
    const { seqs } = this.rows;
    const head = this.#newestSeq = Number(lastSeq);
    this.seqWindow = new SeqWindow({ first: seqs[0] ?? head + 1, last: seqs.at(-1) ?? head, head });
    this.changes = new ChangeLog(Number(lastChange ?? 0), () => this.history.call('catchUpWithChanges'));
    this.anchor = new ScrollAnchor(this.scroll, { followsEnd: () => this.seqWindow.followsEnd, onEnd: () => this.#reachedEnd() });
    this.arrange();
    this.#listen();
  }

  #listen() {
    const { signal } = this;
    this.scroll.addEventListener('scroll', () => this.look(), { signal, passive: true });
    const resizing = new ResizeObserver(() => this.anchor.keep());
    resizing.observe(this.scroll);
    resizing.observe(this.list);
    signal.addEventListener('abort', () => resizing.disconnect());
  }

  get isAtEnd() {
    return this.anchor.isAtEnd;
  }

  // Where the reader is

  /** Shows the position where the reader left, else the first of `unread` messages, else the end. */
  async open(position, unread) {
    const count = unread || this.#unreadOf(this.rows.all).length;
    const wanted = position?.seq ?? (count ? this.readSeq + 1 : this.seqWindow.first);
    if (wanted < this.seqWindow.first) await this.history.call('showUnread', wanted);
    this.showUnsent();
    if (count) this.#divide(this.rows.all);
    const target = position ? this.rows.withSeq(position.seq) : this.rows.separators.divider;
    if (target) this.anchor.show(target, position?.top ?? this.scroll.clientHeight / 4);
    else this.anchor.toBottom();
    this.isOpening = false;
    this.look();
  }

  /** Where the reader is, for `open`; null at the end. */
  position() {
    const row = this.isAtEnd ? null : this.anchor.firstVisible();
    return row?.dataset.seq ? { seq: Number(row.dataset.seq), top: this.anchor.topOf(row) } : null;
  }

  /** Goes to a message, however far back. Resolves to its row, or to null if it cannot be fetched. */
  async goTo(seq) {
    if (!this.rows.withSeq(seq)) {
      await this.history.call('showAround', seq);
      this.showUnsent();
    }
    const row = this.rows.withSeq(seq);
    if (row) this.anchor.show(row, this.scroll.clientHeight / 4);
    this.wantsEnd = false;
    this.look();
    return row;
  }

  /** Goes to the newest message. Where it has not been fetched yet, it comes as soon as the network allows. */
  toEnd() {
    this.anchor.toBottom(); // first, so that the oldest rows make room
    this.showUnsent();
    this.anchor.toBottom();
    this.wantsEnd = !this.seqWindow.followsEnd;
    this.look();
  }

  #pressedPill() {
    this.scroll.focus({ preventScroll: true }); // the button, which has the focus, will be hidden
    this.toEnd();
  }

  /** Looks where its reader is, and fetches what they are about to scroll to. */
  look() {
    if (this.anchor.isResized) return this.anchor.keep(); // the window has scrolled, not the reader
    this.anchor.remember();
    if (this.anchor.wasAtEnd) this.#reachedEnd();
    else this.pill.show();
    if (!this.anchor.isNearBottom) this.wantsEnd = false;
    this.#loadAhead();
  }

  #loadAhead() {
    const { scroll, seqWindow, anchor } = this;
    if (this.wantsEnd) this.history.call('loadEnd');
    else if (scroll.scrollTop < LOAD_AHEAD_PX && seqWindow.hasOlder) this.history.call('loadOlder');
    else if (anchor.restPx < LOAD_AHEAD_PX && !seqWindow.followsEnd) this.history.call('loadNewer');
  }

  #askAgain() {
    this.receive([]);
    this.changes.hear();
    this.look();
  }

  #reachedEnd() {
    this.pill.hide();
    this.onEnd();
  }

  // What comes

  /** Takes messages that were pushed or fetched, and the newest seq of the conversation if it is known. */
  receive(versions, head = 0) {
    const messages = versions.map(newest);
    this.conversationId ||= messages[0]?.conversationId ?? 0;
    const fresh = messages.filter((message) => message.seq > this.#newestSeq && message.senderId !== me.id);
    this.#newestSeq = Math.max(this.#newestSeq, ...messages.map((message) => message.seq));
    const wasAtEnd = this.isAtEnd;
    const { show, changed, fetch } = sortOut(this.seqWindow, messages, head, (seq) => this.rows.lastChangeOf(seq));
    if (show.length || changed.length) {
      this.change(() => {
        changed.forEach((message) => this.rows.update(message));
        const rows = show.map((message) => this.rows.put(message));
        if (!isWatched()) this.#divide(rows);
      });
    }
    if (!wasAtEnd && fresh.length) this.pill.show(fresh.length);
    if (fetch) this.history.call('catchUp');
    this.#showCompleteness();
    messages.filter(({ senderId }) => senderId === me.id).forEach(this.onOwn);
  }

  /** Takes messages as they have become: pushed, fetched, or come with an answer. */
  update(messages) {
    messages.forEach(remember);
    // One that is above is fetched when it is scrolled to; of one that has not come yet it is known now that it is there.
    this.receive(messages.filter(({ seq }) => seq >= this.seqWindow.first));
    if (find('[data-quoted-seq]', this.list)) this.change(() => this.rows.updateQuotes(messages.map(({ seq }) => seq)));
  }

  /** Takes a change with its number. */
  changed({ change, message }) {
    this.update([message]);
    this.changes.receive(change, message.lastChange);
  }

  /** Takes the acknowledgement of an own message. */
  acknowledged(message) {
    const row = this.rows.own(message.clientId);
    if (row && !row.dataset.seq) {
      if (message.seq <= this.seqWindow.last) this.change(() => row.remove()); // it stands further up already
      else setBubbleState(row, 'sent');
    }
    this.receive([message]);
  }

  /** Shows the entries of the outbox as they are now. */
  showUnsent() {
    const entries = this.unsent();
    if (!this.rows.pending && entries.some(({ kind }) => kind === 'change')) this.rows.loadPending().then(() => this.showUnsent(), () => {});
    this.change(() => this.rows.putEntries(entries));
    this.#showCompleteness();
  }

  // What follows from a change

  /** Changes rows by `mutate`, removes what are too many at one end, and keeps in place what the reader looks at. */
  change(mutate, { trimStart = this.isAtEnd } = {}) {
    this.anchor.hold(() => {
      mutate();
      this.arrange();
      const dropped = this.rows.trim(trimStart);
      if (!dropped) return;
      if (trimStart) this.seqWindow.dropOldest(dropped);
      else this.seqWindow.dropNewest(dropped);
      this.arrange();
    });
  }

  /** Arranges the rows after any change, and the days when "Today" has become "Yesterday". */
  arrange() {
    const hasMessages = this.rows.separators.arrange({ hasGap: !this.seqWindow.followsEnd });
    this.start.hidden = this.seqWindow.hasOlder;
    this.scroll.toggleAttribute('data-empty', !hasMessages);
    if (document.activeElement?.closest('.unwritten') && find('.message', this.list)) this.list.focus({ preventScroll: true }); // that is hidden now
    this.#showCompleteness();
  }

  #unreadOf(rows) {
    return rows.filter((row) => row.matches('.theirs') && Number(row.dataset.seq) > this.readSeq);
  }

  #divide(rows) {
    if (this.rows.separators.divide(this.#unreadOf(rows), this.readSeq)) this.arrange();
  }

  removeDivider() {
    if (this.rows.separators.divider) this.change(() => this.rows.separators.removeDivider());
  }

  /** Whether the server has been heard since the connection began. Otherwise nobody knows what is missing. */
  setChecked(isChecked) {
    this.#isChecked = isChecked;
    if (this.rows.separators.isOutdated) this.arrange();
    this.#showCompleteness();
  }

  #showCompleteness() {
    const failedCount = this.unsent().filter((entry) => entry.state === 'failed').length;
    showCompleteness(this.mark, completeness(this.rows.seqs, this.seqWindow, this.#isChecked), failedCount);
  }
}
