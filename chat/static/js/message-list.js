/**
 * A part of the open conversation on the page. It grows where its reader scrolls to, and shrinks at the other end.
 *
 * seq-window.js decides which messages belong here, message-loader.js fetches them, message-rows.js puts them into the
 * page, and scroll-anchor.js keeps in place what the reader looks at.
 */

import { setBubbleState } from './bubble.js';
import { completeness, showCompleteness } from './completeness.js';
import { badge, gettext, ngettext } from './i18n.js';
import { MessageLoader } from './message-loader.js';
import { MessageRows } from './message-rows.js';
import { find, isWatched, me, part, setText } from './page.js';
import { ScrollAnchor } from './scroll-anchor.js';
import { SeqWindow } from './seq-window.js';

const LOAD_AHEAD_PX = 800;
const PAGE_LENGTH = 60; // messages that scrolling fetches
const CONTEXT_LENGTH = 30; // messages before the one that is looked for

export class MessageList {
  #wantsEnd = false; // the reader is on the way to the newest messages, which are still to be fetched
  #newestSeq; // of all messages that came
  #unseenCount = 0; // messages that came while the reader was further up
  #isChecked = true; // the server has said how far the conversation goes since the connection began

  /**
   * Takes over the list that the server rendered into `section`. `unsent()` gives the entries of the outbox, `onEnd()`
   * is called whenever the newest message is on the screen, `onRefused(words)` when one is refused. `signal` ends all.
   */
  constructor(section, { unsent, onEnd, onRefused, signal }) {
    Object.assign(this, { unsent, onEnd, signal });
    const { messagesUrl, roomId, readSeq, peerReadSeq, lastSeq } = section.dataset;
    this.messagesUrl = messagesUrl;
    this.readSeq = Number(readSeq);
    this.scroll = find('#history-scroll', section);
    this.list = find('#history', section);
    this.start = find('#history-start', section);
    this.pill = find('#new-pill', section);
    this.mark = find('#completeness', section);
    find('#older', section)?.remove(); // a link for those without JavaScript
    this.rows = new MessageRows(this.list, { messagesUrl, isRoom: Boolean(roomId), peerReadSeq: Number(peerReadSeq), onRefused });
    const { seqs } = this.rows;
    const head = this.#newestSeq = Number(lastSeq);
    this.seqWindow = new SeqWindow({ first: seqs[0] ?? head + 1, last: seqs.at(-1) ?? head, head });
    this.loader = new MessageLoader(messagesUrl, signal);
    this.anchor = new ScrollAnchor(this.scroll, { followsEnd: () => this.seqWindow.followsEnd, onEnd: () => this.#reachedEnd() });
    this.arrange();
    this.#listen();
  }

  #listen() {
    const { signal } = this;
    this.scroll.addEventListener('scroll', () => this.#scrolled(), { signal, passive: true });
    this.pill.addEventListener('click', () => {
      this.scroll.focus({ preventScroll: true }); // the button, which has the focus, will be hidden
      this.toEnd();
    }, { signal });
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
    if (wanted < this.seqWindow.first) {
      const range = { after: Math.max(0, wanted - CONTEXT_LENGTH), limit: 200 };
      await this.loader.fetch(range).then((page) => this.#showInstead(page), () => {});
    }
    this.showUnsent();
    if (count) this.#divide(this.rows.all);
    const target = position ? this.rows.withSeq(position.seq) : this.rows.separators.divider;
    if (target) this.anchor.show(target, position?.top ?? this.scroll.clientHeight / 4);
    else this.anchor.toBottom();
    this.#scrolled();
  }

  /** Where the reader is, for `open`; null at the end. */
  position() {
    const row = this.isAtEnd ? null : this.anchor.firstVisible();
    return row?.dataset.seq ? { seq: Number(row.dataset.seq), top: this.anchor.topOf(row) } : null;
  }

  /** Goes to the newest message. Where it has not been fetched yet, it comes as soon as the network allows. */
  toEnd() {
    this.anchor.toBottom(); // first, so that the oldest rows make room
    this.showUnsent();
    this.anchor.toBottom();
    this.#wantsEnd = !this.seqWindow.followsEnd;
    this.#scrolled();
  }

  #scrolled() {
    if (this.anchor.isResized) return this.anchor.keep(); // the window has scrolled, not the reader
    this.anchor.remember();
    if (this.anchor.wasAtEnd) this.#reachedEnd();
    else this.#showPill(this.#unseenCount);
    if (!this.anchor.isNearBottom) this.#wantsEnd = false;
    if (this.#wantsEnd) {
      this.#load({ limit: PAGE_LENGTH }, (page) => this.#showEnd(page));
    } else if (this.scroll.scrollTop < LOAD_AHEAD_PX && this.seqWindow.hasOlder) {
      this.#load(this.seqWindow.olderRange(PAGE_LENGTH), (page) => this.#showOlder(page));
    } else if (this.anchor.restPx < LOAD_AHEAD_PX && !this.seqWindow.followsEnd) {
      this.#load(this.seqWindow.newerRange(PAGE_LENGTH), (page) => this.#showNewer(page));
    }
  }

  #reachedEnd() {
    this.#showPill(0);
    this.onEnd();
  }

  /** The button that leads to the end, for a reader who is further up. It says how many messages have come meanwhile. */
  #showPill(count) {
    this.#unseenCount = count;
    this.pill.hidden = this.isAtEnd;
    this.pill.toggleAttribute('data-count', count > 0);
    const words = count ? ngettext('%(num)s new', '%(num)s new', count, badge(count)) : gettext('To the newest messages');
    setText(part(this.pill, 'count'), words);
  }

  // What comes

  /** Takes messages that were pushed or fetched, and the newest seq of the conversation if it is known. */
  receive(messages, head = 0) {
    const fresh = messages.filter((message) => message.seq > this.#newestSeq && message.senderId !== me.id);
    this.#newestSeq = Math.max(this.#newestSeq, ...messages.map((message) => message.seq));
    const wasAtEnd = this.isAtEnd;
    const { show, fetch } = this.seqWindow.receive(messages, head);
    if (show.length) {
      this.#change(() => {
        const rows = show.map((message) => this.rows.put(message));
        if (!isWatched()) this.#divide(rows);
      });
    }
    if (!wasAtEnd && fresh.length) this.#showPill(this.#unseenCount + fresh.length);
    if (fetch) this.loader.catchUp(this.seqWindow, (...page) => this.receive(...page));
    this.#showCompleteness();
  }

  /** Takes the acknowledgement of an own message. */
  acknowledged(message) {
    const row = this.rows.own(message.clientId);
    if (row && !row.dataset.seq) {
      if (message.seq <= this.seqWindow.last) this.#change(() => row.remove()); // it stands further up already
      else setBubbleState(row, 'sent');
    }
    this.receive([message]);
  }

  /** Shows the entries of the outbox as they are now. */
  showUnsent() {
    this.#change(() => this.rows.putEntries(this.unsent()));
    this.#showCompleteness();
  }

  setPeerRead(seq) {
    this.rows.setPeerRead(seq);
  }

  // What is fetched

  #load(range, show) {
    const showAndLookAgain = (page) => {
      show(page);
      this.#scrolled();
    };
    this.loader.load(range, showAndLookAgain, () => this.#scrolled());
  }

  #showOlder({ messages }) {
    this.#change(() => this.rows.prepend(this.seqWindow.prepend(messages)));
  }

  #showNewer({ messages, lastSeq }) {
    const append = () => this.seqWindow.append(messages, lastSeq).forEach((message) => this.rows.put(message));
    this.#change(append, { trimStart: true });
    this.showUnsent();
  }

  #showEnd(page) {
    if (!this.#wantsEnd) return;
    this.#wantsEnd = false;
    this.#showInstead(page);
    this.anchor.toBottom();
  }

  #showInstead({ messages, lastSeq }) {
    if (!messages.length) return;
    this.seqWindow.reset({ first: messages[0].seq, last: messages.at(-1).seq, head: Math.max(lastSeq, this.seqWindow.head) });
    this.rows.replaceAll(messages);
    this.arrange();
  }

  // What follows from a change

  /** Changes rows by `mutate`, removes what are too many at one end, and keeps in place what the reader looks at. */
  #change(mutate, { trimStart = this.isAtEnd } = {}) {
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
    this.#showCompleteness();
  }

  #unreadOf(rows) {
    return rows.filter((row) => row.matches('.theirs') && Number(row.dataset.seq) > this.readSeq);
  }

  #divide(rows) {
    if (this.rows.separators.divide(this.#unreadOf(rows), this.readSeq)) this.arrange();
  }

  removeDivider() {
    if (this.rows.separators.divider) this.#change(() => this.rows.separators.removeDivider());
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
