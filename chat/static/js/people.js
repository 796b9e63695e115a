/** The list of people: a card for each, with the newest message and what is unread. Who wrote last comes first. */

import { showAge } from './dates.js';
import { debounce, find, findAll, me, part } from './page.js';
import { PeopleSearch } from './people-search.js';
import { PeopleStatus } from './people-status.js';
import { lastSeqOf, makeCard, showPreview, showUnread } from './person-card.js';
import { markDelivered, online } from './socket.js';
import { UnreadCounts } from './unread-counts.js';
import { versionOf } from './versions.js';

const REFRESH_PAUSE_MS = 500;

export class People {
  openId = 0; // of the person whose conversation is open; 0 for nobody
  counts = new UnreadCounts();
  #status = new PeopleStatus((id) => this.card(id));
  loading = null; // aborts the request under way
  wantsWhole = false; // all that is shown is to be fetched anew

  /**
   * `onUnread(total)` is called with the number of all unread messages, `say(words)` with what a search has found, `onQuery(query)` with
   * what is searched for and how names are compared: it resolves after the rooms are found; `roomLinks()` gives their links.
   * `loadPages()` resolves to page-more.js.
   */
  constructor({ onUnread, say, onQuery, roomLinks, loadPages }) {
    Object.assign(this, { onUnread, roomLinks, loadPages });
    this.scroll = find('#people-scroll');
    this.box = find('#people-box');
    this.search = new PeopleSearch(this, { load: loadPages, say, onQuery });
    this.refreshSoon = debounce(REFRESH_PAUSE_MS, () => this.refresh());
    this.scroll.addEventListener('click', (event) => this.#clicked(event));
    this.nearEnd = new IntersectionObserver(([{ isIntersecting, target }]) => isIntersecting && this.#showMore(target), {
      rootMargin: '300px',
    });
    this.counts.countElsewhere(document);
    this.hydrate();
  }

  get list() {
    return find('#people');
  }

  get cards() {
    return findAll('li.person', this.list);
  }

  get links() {
    return this.cards.map((card) => find('a', card));
  }

  card(id) {
    return find(`li.person[data-user-id="${id}"]`, this.list);
  }

  // The open conversation

  /** Marks the conversation that is open; 0 for none. */
  setOpen(id) {
    this.openId = id;
    for (const link of findAll('a[aria-current]', this.list)) link.removeAttribute('aria-current');
    this.card(id)?.querySelector('a').setAttribute('aria-current', 'page');
    if (id && online.size) this.#status.show(id);
  }

  // What comes

  /** Shows a message as the newest one of its conversation. `isSeen`: its reader has it on the screen. */
  message(message, isSeen) {
    const isMine = message.senderId === me.id;
    const peerId = isMine ? message.receiverId : message.senderId;
    const card = this.card(peerId) ?? (isMine || this.search.query ? null : this.#newCard(message));
    if (!isMine) this.#status.stopTyping(peerId);
    if (!isMine && !isSeen) markDelivered(peerId, message.seq);
    const isUnread = !isMine && !isSeen && message.seq > Math.max(lastSeqOf(card), this.counts.readSeq(peerId));
    if (isUnread) this.#setUnread(peerId, this.unread(peerId) + 1);
    if (!card) return this.search.query || this.refreshSoon();
    const lastSeq = lastSeqOf(card);
    if (message.seq <= lastSeq) return;
    if (message.seq > lastSeq + 1) this.refreshSoon(); // something was missed
    showPreview(card, message);
    this.#raise(card);
  }

  /** Shows what has become of a message. */
  changed(id, message) {
    const card = this.card(id);
    if (lastSeqOf(card) === message.seq) showPreview(card, message);
    if (message.deleted && this.unread(id)) this.refreshSoon(); // the server counts it no more
  }

  #newCard(message) {
    const card = makeCard(message);
    this.list.prepend(card);
    find('#people-empty').hidden = true;
    this.#status.show(message.senderId);
    return card;
  }

  /** Moves a card to the top. A card with the focus would lose it: it stays in place, and those above it go below it. */
  #raise(card) {
    if (card.contains(document.activeElement)) {
      const above = this.cards.slice(0, this.cards.indexOf(card));
      card.after(...above);
    } else if (card !== this.list.firstElementChild) {
      this.list.prepend(card);
    }
  }

  /** Rewrites the times, when another day has begun. */
  showAges() {
    for (const card of this.cards) showAge(part(card, 'time'));
  }

  // What is unread

  unread(id) {
    return this.counts.get(id);
  }

  /** The conversation with `id` has been read up to `seq`, here or in another tab. */
  read(id, seq) {
    const isNews = this.counts.setReadSeq(id, seq);
    if (isNews && this.loading) this.refreshSoon(); // the answer under way may be older than this
    if (!this.unread(id)) {
      if (isNews && this.counts.hasElsewhere && !this.card(id)) this.refreshSoon();
      return;
    }
    if (seq >= lastSeqOf(this.card(id))) this.#setUnread(id, 0);
    else if (isNews) this.refreshSoon(); // the server counts how many are left
  }

  /** Somebody has marked it as unread: what is known here counts no more. */
  forgetRead(id) {
    this.counts.forgetRead(id);
  }

  #setUnread(id, count) {
    const card = this.card(id);
    this.counts.set(id, count);
    if (card) showUnread(card, count);
    this.onUnread(this.counts.total);
  }

  // Who is there

  typing(id) {
    this.#status.typing(id);
  }

  presence(changedIds) {
    this.#status.showOnlineCount();
    if (this.#status.isKnown) changedIds.forEach((id) => this.#status.show(id));
    else this.#setStatusKnown(true);
    const isEveryoneListed = !this.search.query && !find('#people-more');
    if (isEveryoneListed && changedIds.some((id) => id !== me.id && !this.card(id))) this.refreshSoon(); // somebody new
  }

  /** Without a connection nobody knows who is online. */
  connectionLost() {
    this.#status.hideOnlineCount();
    this.#setStatusKnown(false);
  }

  #setStatusKnown(isKnown) {
    this.#status.isKnown = isKnown;
    new Set([...[...this.cards, ...findAll('#members > li')].map(({ dataset }) => Number(dataset.userId)), this.openId]).forEach((id) => this.#status.show(id));
  }

  // What the server renders

  /** Resolves to what fetches the list, which is loaded later. */
  get pages() {
    return this.loadPages().then(({ PeoplePages }) => new PeoplePages(this));
  }

  /** Fetches the top of the list anew; with `isWhole` all of it that is shown. */
  refresh(isWhole) {
    return this.pages.then((pages) => pages.refresh(isWhole), () => {});
  }

  get hasFocus() {
    return this.list.contains(document.activeElement);
  }

  /** Runs `change`, which shows other cards. The focus stays with the person who had it, or else goes to the search field. */
  keepFocus(change) {
    const id = this.hasFocus && document.activeElement.closest('li').dataset.userId;
    change();
    if (id) (this.card(id)?.querySelector('a') ?? this.search.field).focus({ preventScroll: true });
  }

  #clicked(event) {
    const more = event.target.closest('#people-more');
    if (!more) return;
    event.preventDefault();
    this.#showMore(more);
  }

  #showMore(link) {
    this.pages.then((pages) => pages.showMore(link), () => {});
  }

  /** Says that there is nobody, where that is so. A search that has found a room has found something. */
  showEmpty() {
    find('#people-empty').hidden = this.cards.length > 0 || (this.search.query !== '' && this.roomLinks().length > 0);
  }

  /** Gives cards of the server the reader's clock, what is known of unread messages and presence, and the open mark. */
  hydrate() {
    for (const card of this.cards) {
      const id = Number(card.dataset.userId);
      const isRead = this.counts.readSeq(id) && this.counts.readSeq(id) >= lastSeqOf(card);
      showAge(part(card, 'time'));
      const version = versionOf(id, lastSeqOf(card));
      if (version?.lastChange > Number(card.dataset.lastChange)) showPreview(card, version); // the list may be older than that
      if (!isRead && card.dataset.unread > 0) markDelivered(id, lastSeqOf(card));
      showUnread(card, isRead ? 0 : Number(card.dataset.unread));
      this.counts.set(id, Number(card.dataset.unread));
      if (online.size) this.#status.show(id);
    }
    const more = find('#people-more');
    this.nearEnd.disconnect();
    if (more) this.nearEnd.observe(more);
    this.showEmpty();
    this.setOpen(this.openId);
    this.onUnread(this.counts.total);
  }
}
