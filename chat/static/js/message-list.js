/**
 * The messages of the open conversation on the page: a window of at most 320 rows on its log.
 *
 * Rows are `li.message` in the order of `seq`; after them come those of the outbox, which have no `seq` yet. Far up
 * in the history, where the newest are not on the page, a gap is marked between the two.
 * Whatever is put in or taken out, what the reader looks at does not move, unless the reader is at the end.
 */

import { makeBubble, setBubbleState, updateBubble } from './bubble.js';
import { completeness, completenessSummary, completenessWords } from './completeness.js';
import { showDay, showHour } from './dates.js';
import { fetchMessages, messageUrl } from './http.js';
import { badge, gettext, ngettext } from './i18n.js';
import { showText } from './links.js';
import { find, findAll, fromTemplate, isWatched, me, part, setText } from './page.js';
import { SeqWindow, continuesGroup } from './seq-window.js';

const ROW_LIMIT = 320; // elements of the list, what waits to be sent aside: messages, days and the divider
const UNPLACED = 'li.message:not([data-seq])'; // what has no place in the log yet
const TRIMMED_LENGTH = 280; // many at once: each time is a layout of all that stays
const AT_END_PX = 100;
const LOAD_AHEAD_PX = 800;
const PAGE_LENGTH = 60; // messages that scrolling brings
const CONTEXT_LENGTH = 30; // messages before the one that is looked for
const RETRY_MS = 2_000;

const dateOf = (date) => date.toLocaleDateString('sv'); // YYYY-MM-DD of the reader's zone

export class MessageList {
  #about = new WeakMap(); // row → {senderId, date, day}
  #isLoading = false;
  #isCatchingUp = false;
  #wantsEnd = false; // the reader is on the way to the newest messages, which are still to be fetched
  #retry;
  #gap = fromTemplate('gap-template');
  #wasAtEnd = false;
  #kept = null; // {row, top, share, width, height}: what the reader saw at the top, in a window of that size
  #newest; // seq of the newest message that came
  #unseen = 0;
  #divider = null;
  #dividedAt = 0; // seq of the first message below the divider
  #today = dateOf(new Date());
  #isChecked = true; // the server has said how far the conversation goes since the connection began

  /**
   * Takes over the rows that the server rendered into `section`. `unsent()` gives the entries of the outbox,
   * `onEnd()` is called whenever the newest message is on the screen, `onFailed(words)` when one is refused, `signal`
   * ends everything.
   */
  constructor(section, { unsent, onEnd, onFailed, signal }) {
    Object.assign(this, { unsent, onEnd, onFailed, signal });
    this.peerName = section.dataset.peerName;
    this.readSeq = Number(section.dataset.readSeq);
    this.peerReadSeq = Number(section.dataset.peerReadSeq);
    this.scroll = find('#history-scroll', section);
    this.list = find('#history', section);
    this.start = find('#history-start', section);
    this.pill = find('#new-pill', section);
    this.mark = find('#completeness', section);
    find('#older', section)?.remove();
    this.#adopt(Number(section.dataset.lastSeq));
    this.scroll.addEventListener('scroll', () => this.#scrolled(), { signal, passive: true });
    this.pill.addEventListener('click', () => {
      this.scroll.focus({ preventScroll: true }); // the button goes with the press
      this.toEnd();
    }, { signal });
    const resized = new ResizeObserver(() => this.#keepPlace());
    resized.observe(this.scroll);
    resized.observe(this.list);
    signal.addEventListener('abort', () => resized.disconnect());
  }

  #adopt(head) {
    for (const row of this.rows) {
      this.#know(row);
      showHour(part(row, 'time'));
      showText(part(row, 'text'), part(row, 'text').textContent);
    }
    this.#newest = head;
    this.seqWindow = new SeqWindow({ first: this.#seqs[0] ?? head + 1, last: this.#seqs.at(-1) ?? head, head });
    this.#arrange();
  }

  #know(row) {
    const date = new Date(part(row, 'time').dateTime);
    this.#about.set(row, { senderId: Number(row.dataset.senderId), date, day: dateOf(date) });
    if (row.dataset.seq) part(row, 'details').href = messageUrl(this.peerName, row.dataset.seq);
    return row;
  }

  #make(message) {
    const row = makeBubble(message);
    this.#markRead(row);
    return this.#know(row);
  }

  get rows() {
    return findAll('li.message', this.list);
  }

  get #seqs() {
    return findAll('li.message[data-seq]', this.list).map((row) => Number(row.dataset.seq));
  }

  get isAtEnd() {
    return this.seqWindow.followsEnd && this.#restPx <= AT_END_PX;
  }

  /** The `seq` of the other person's newest message here; 0 if there is none. */
  get newestOfPeer() {
    return Number(findAll('li.theirs', this.list).at(-1)?.dataset.seq ?? 0);
  }

  get #restPx() {
    return this.scroll.scrollHeight - this.scroll.scrollTop - this.scroll.clientHeight;
  }

  /** Shows the position where the reader left, else the first of `unread` messages, else the end. */
  async open(position, unread) {
    const count = unread || this.rows.filter((row) => this.#isUnread(row)).length;
    const wanted = position?.seq ?? (count ? this.readSeq + 1 : this.seqWindow.first);
    if (wanted < this.seqWindow.first) {
      const range = { after: Math.max(0, wanted - CONTEXT_LENGTH), limit: 200 };
      await this.#fetch(range).then((page) => this.#showInstead(page), () => {});
    }
    this.showUnsent();
    if (count) this.#divide(this.rows.filter((row) => this.#isUnread(row)));
    const target = position ? find(`[data-seq="${position.seq}"]`, this.list) : this.#divider;
    if (target) this.scroll.scrollTop += this.#topOf(target) - (position?.top ?? this.scroll.clientHeight / 4);
    else this.#toBottom();
    this.#scrolled();
  }

  /** Where the reader is, for `open`; null at the end. */
  position() {
    const row = this.isAtEnd ? null : this.#firstVisible();
    return row?.dataset.seq ? { seq: Number(row.dataset.seq), top: this.#topOf(row) } : null;
  }

  /** Takes messages that were pushed or fetched, and the newest seq of the conversation if it is known. */
  receive(messages, head = 0) {
    const fresh = messages.filter((message) => message.seq > this.#newest && message.senderId !== me.id);
    this.#newest = Math.max(this.#newest, ...messages.map((message) => message.seq));
    const wasAtEnd = this.isAtEnd;
    const { show, fetch } = this.seqWindow.receive(messages, head);
    if (show.length) {
      this.#change(() => {
        const rows = show.map((message) => this.#put(message));
        if (!isWatched()) this.#divide(rows.filter((row) => this.#isUnread(row)));
      });
    }
    if (!wasAtEnd && fresh.length) this.#showPill(this.#unseen + fresh.length);
    if (fetch) this.#catchUp();
    this.#showCompleteness();
  }

  /** Names the days again, in another year. */
  showDays() {
    this.#arrange();
  }

  /** Whether the server has been heard since the connection began; without it nobody knows what is missing. */
  setChecked(isChecked) {
    this.#isChecked = isChecked;
    if (this.#today !== dateOf(new Date())) this.#arrange(); // "Today" is another day now
    this.#showCompleteness();
  }

  #showCompleteness() {
    const found = completeness(this.#seqs, this.seqWindow, this.#isChecked);
    const unsent = this.unsent().filter((entry) => entry.state === 'failed').length;
    this.mark.hidden = !found && !unsent;
    if (this.mark.hidden) return;
    const isUnsent = unsent && found?.state !== 'unchecked'; // the gravest is said
    this.mark.dataset.state = isUnsent ? 'unsent' : found.state;
    this.mark.title = found ? completenessWords(found) : '';
    setText(part(this.mark, 'state-words'), completenessSummary(isUnsent ? { state: 'unsent', missing: unsent } : found));
  }

  /** Takes the acknowledgement of an own message. */
  acknowledged(message) {
    const row = this.#ownRow(message.clientId);
    if (row && !row.dataset.seq) {
      if (message.seq <= this.seqWindow.last) this.#change(() => row.remove()); // it stands further up already
      else setBubbleState(row, 'sent');
    }
    this.receive([message]);
  }

  /** Shows the entries of the outbox as they are now. */
  showUnsent() {
    const entries = this.unsent();
    const names = new Set(entries.map((entry) => entry.clientId));
    const isGone = (row) => !row.dataset.seq && row.dataset.state !== 'sent' && !names.has(row.dataset.clientId);
    this.#change(() => {
      this.rows.filter(isGone).forEach((row) => row.remove());
      entries.forEach((entry) => this.#putEntry(entry));
    });
    this.#showCompleteness();
  }

  /** Goes to the newest message; where the window is far from it, it comes as soon as the network allows. */
  toEnd() {
    this.#toBottom(); // first, so that it is the oldest rows that make room
    this.showUnsent();
    this.#toBottom();
    this.#wantsEnd = !this.seqWindow.followsEnd;
    this.#scrolled();
  }

  /** The other person has read up to `seq`. */
  setPeerRead(seq) {
    this.peerReadSeq = Math.max(this.peerReadSeq, seq);
    findAll('li.mine[data-state="sent"]', this.list).forEach((row) => this.#markRead(row));
  }

  #markRead(row) {
    if (row.matches('.mine') && row.dataset.seq && Number(row.dataset.seq) <= this.peerReadSeq) setBubbleState(row, 'read');
  }

  removeDivider() {
    if (!this.#divider) return;
    this.#change(() => this.#divider.remove());
    this.#divider = null;
  }

  #isUnread(row) {
    return row.matches('.theirs') && Number(row.dataset.seq) > this.readSeq;
  }

  /** Puts the divider before the first of the unread rows, unless it stands above them. */
  #divide(rows) {
    if (!rows.length || (this.#divider?.isConnected && this.#dividedAt > this.readSeq)) return;
    this.#divider?.remove();
    this.#divider = fromTemplate('unread-template');
    this.#dividedAt = Number(rows[0].dataset.seq);
    rows[0].before(this.#divider);
    this.#arrange();
  }

  /** The button that leads to the end, for who is further up; it says how many have come meanwhile. */
  #showPill(count) {
    this.#unseen = count;
    this.pill.hidden = this.isAtEnd;
    this.pill.toggleAttribute('data-count', count > 0);
    const words = count ? ngettext('%(num)s new', '%(num)s new', count, badge(count)) : gettext('To the newest messages');
    setText(part(this.pill, 'count'), words);
  }

  #scrolled() {
    if (this.#isResized) return this.#keepPlace(); // it was the window that moved, and not the reader
    this.#remember();
    if (this.#wasAtEnd) this.#reachedEnd();
    else this.#showPill(this.#unseen);
    if (this.#restPx > AT_END_PX) this.#wantsEnd = false;
    if (this.#wantsEnd) {
      this.#load({ limit: PAGE_LENGTH }, (page) => this.#showEnd(page));
    } else if (this.scroll.scrollTop < LOAD_AHEAD_PX && this.seqWindow.hasOlder) {
      this.#load(this.seqWindow.olderRange(PAGE_LENGTH), (page) => this.#showOlder(page));
    } else if (this.#restPx < LOAD_AHEAD_PX && !this.seqWindow.followsEnd) {
      this.#load(this.seqWindow.newerRange(PAGE_LENGTH), (page) => this.#showNewer(page));
    }
  }

  /** What to come back to when the window gets another size. */
  #remember() {
    this.#wasAtEnd = this.isAtEnd;
    const row = this.#wasAtEnd ? null : this.#firstVisible();
    const { clientWidth: width, clientHeight: height } = this.scroll;
    const top = row ? this.#topOf(row) : 0;
    this.#kept = { row, top, share: top < 0 ? top / row.offsetHeight : 0, width, height };
  }

  get #isResized() {
    const { width, height } = this.#kept ?? {};
    return this.#kept && (width !== this.scroll.clientWidth || height !== this.scroll.clientHeight);
  }

  /** Keeps the end at the end, or the same message at the top, whatever has changed the size of window or text. */
  #keepPlace() {
    if (this.#wasAtEnd) return this.#toBottom();
    const { row, top, share } = this.#kept ?? {};
    // Of a message that begins above the window, the same share stays hidden: its lines may be fewer now.
    if (row?.isConnected) this.scroll.scrollTop += this.#topOf(row) - (share ? share * row.offsetHeight : top);
    this.#remember();
  }

  #reachedEnd() {
    this.#showPill(0);
    this.onEnd();
  }

  async #load(range, show) {
    if (this.#isLoading) return;
    this.#isLoading = true;
    const page = range ? await this.#fetch(range).catch(() => null) : { messages: [], lastSeq: 0 };
    this.#isLoading = false;
    if (this.signal.aborted) return;
    clearTimeout(this.#retry);
    if (!page) {
      this.#retry = setTimeout(() => this.#scrolled(), RETRY_MS);
      return;
    }
    show(page);
    this.#scrolled();
  }

  #showOlder({ messages }) {
    this.#change(() => this.list.prepend(...this.seqWindow.prepend(messages).map((message) => this.#make(message))));
  }

  #showNewer({ messages, lastSeq }) {
    this.#change(() => this.seqWindow.append(messages, lastSeq).forEach((message) => this.#put(message)), { trimStart: true });
    this.showUnsent();
  }

  #showEnd(page) {
    if (!this.#wantsEnd) return;
    this.#wantsEnd = false;
    this.#showInstead(page);
    this.#toBottom();
  }

  /** Fetches what a jump in `seq` has shown to be missing, however much it is. */
  async #catchUp() {
    if (this.#isCatchingUp || this.signal.aborted) return;
    this.#isCatchingUp = true;
    try {
      while (this.seqWindow.followsEnd && this.seqWindow.hasNewer) {
        const { last } = this.seqWindow;
        const page = await this.#fetch(this.seqWindow.newerRange());
        this.receive(page.messages, page.lastSeq);
        if (this.seqWindow.last === last) break; // the next heartbeat asks again
      }
    } catch {
      setTimeout(() => this.#catchUp(), RETRY_MS);
    } finally {
      this.#isCatchingUp = false;
    }
  }

  #fetch(range) {
    return fetchMessages(this.peerName, range, this.signal);
  }

  /** Shows a page of messages in place of those that are there; what waits to be sent stays. */
  #showInstead({ messages, lastSeq }) {
    if (!messages.length) return;
    const waiting = findAll(`${UNPLACED}:not([data-state="sent"])`, this.list);
    this.seqWindow.reset({ first: messages[0].seq, last: messages.at(-1).seq, head: Math.max(lastSeq, this.seqWindow.head) });
    this.list.replaceChildren(...waiting);
    messages.forEach((message) => this.#put(message));
    this.#divider = null;
    this.#arrange();
  }

  /** Changes rows under the reader's eyes: the end stays the end, or the first visible row stays in place. */
  #change(mutate, { trimStart = this.isAtEnd } = {}) {
    const isAtEnd = this.isAtEnd;
    const anchor = isAtEnd ? null : this.#firstVisible();
    const top = anchor && this.#topOf(anchor);
    mutate();
    this.#arrange();
    this.#trim(trimStart);
    if (isAtEnd) return this.#toBottom();
    if (anchor?.isConnected) this.scroll.scrollTop += this.#topOf(anchor) - top;
    this.#remember();
  }

  #toBottom() {
    this.scroll.scrollTop = this.scroll.scrollHeight;
    this.#remember();
    if (this.#wasAtEnd) this.#reachedEnd();
  }

  #topOf(element) {
    return element.getBoundingClientRect().top - this.scroll.getBoundingClientRect().top;
  }

  /** By halving: the rows follow each other down the page. */
  #firstVisible() {
    const { rows } = this;
    let [first, end] = [0, rows.length];
    while (first < end) {
      const middle = (first + end) >> 1;
      if (this.#topOf(rows[middle]) + rows[middle].offsetHeight > 0) end = middle;
      else first = middle + 1;
    }
    return rows[first];
  }

  /** Lets go of the rows at the far end, but of none that waits for its place in the log. */
  #trim(trimStart) {
    const placed = [...this.list.children].filter((element) => element !== this.#gap && !element.matches(UNPLACED));
    if (placed.length <= ROW_LIMIT) return;
    const gone = trimStart ? placed.slice(0, -TRIMMED_LENGTH) : placed.slice(TRIMMED_LENGTH);
    gone.forEach((element) => element.remove());
    const dropped = gone.filter((element) => element.dataset.seq).length;
    if (trimStart) this.seqWindow.dropOldest(dropped);
    else this.seqWindow.dropNewest(dropped);
    this.#arrange();
  }

  /** Puts a message after the last one that has a seq; the row that waited for it becomes it. */
  #put(message) {
    const waiting = message.senderId === me.id ? this.#ownRow(message.clientId) : null;
    const last = this.rows.findLast((row) => row.dataset.seq);
    const row = waiting ?? this.#make(message);
    const isBefore = waiting && last && waiting.compareDocumentPosition(last) & Node.DOCUMENT_POSITION_FOLLOWING;
    if (!waiting || isBefore) {
      if (last) last.after(row);
      else this.list.prepend(row);
    }
    if (waiting) {
      updateBubble(row, message);
      this.#markRead(row);
      this.#know(row);
    }
    return row;
  }

  #putEntry(entry) {
    const known = this.#ownRow(entry.clientId);
    if (known?.dataset.seq || known?.dataset.state === 'sent') return;
    const timestamp = new Date(entry.createdAt).toISOString();
    const row = known ?? this.#make({ ...entry, senderId: me.id, timestamp });
    const isAgain = known?.dataset.state === 'failed' && entry.state === 'waiting';
    if (!known || isAgain) this.list.append(row);
    const isNews = known?.dataset.state === 'pending' && entry.state === 'failed';
    setBubbleState(row, entry.state === 'failed' ? 'failed' : 'pending');
    if (!entry.reason) return;
    const words = gettext('Not sent: %(reason)s', { reason: entry.reason });
    setText(part(row, 'failed-text'), words);
    find('[data-action="retry"]', row).hidden = entry.isHopeless ?? false;
    find('[data-action="edit"]', row).hidden = !entry.isHopeless;
    if (isNews) this.onFailed(words);
  }

  #ownRow(clientId) {
    return find(`li.mine[data-client-id="${CSS.escape(clientId)}"]`, this.list);
  }

  /** Gives every day its separator and every group its corners, after any change of rows. */
  #arrange() {
    this.#today = dateOf(new Date());
    this.#markGap();
    let previous, day, divider;
    for (const element of [...this.list.children]) {
      if (element === this.#gap) {
        previous?.classList.add('last-of-group');
        previous = null;
      } else if (element.matches('.day')) {
        day?.remove();
        day = element;
      } else if (element === this.#divider) {
        divider = element;
      } else if (this.#about.has(element)) {
        this.#join(previous, element, divider ?? element, day, Boolean(divider));
        previous = element;
        day = divider = null;
      }
    }
    day?.remove();
    previous?.classList.add('last-of-group');
    this.start.hidden = this.seqWindow.hasOlder;
    this.scroll.toggleAttribute('data-empty', !previous);
    this.#showCompleteness();
  }

  /** Where the newest messages are not on the page, what waits for its place does not follow those that are. */
  #markGap() {
    const last = this.rows.findLast((row) => row.dataset.seq);
    if (last && !this.seqWindow.followsEnd && find(UNPLACED, this.list)) last.after(this.#gap);
    else this.#gap.remove();
  }

  #join(previous, row, top, day, isDivided) {
    const before = this.#about.get(previous);
    const about = this.#about.get(row);
    if (before?.day === about.day) {
      day?.remove();
    } else {
      const separator = day ?? fromTemplate('day-template');
      if (!day) top.before(separator);
      showDay(part(separator, 'day'), about);
    }
    const isGrouped = Boolean(before) && !isDivided && continuesGroup(before, about);
    row.classList.toggle('grouped', isGrouped);
    row.classList.toggle('first-of-group', !isGrouped);
    previous?.classList.toggle('last-of-group', !isGrouped);
  }
}
