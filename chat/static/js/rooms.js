/** The list of rooms: a card for each, with the newest message, what is unread, and whether the reader is mentioned. */

import { roomKey } from './address.js';
import { showAge } from './dates.js';
import { debounce, find, findAll, me, part } from './page.js';
import { lastSeqOf } from './person-card.js';
import { isLarge, keyOfCard, mentionsMe, mentionsOf, showLast, showRoom, showUnread } from './room-card.js';
import { markDelivered } from './socket.js';
import { versionOf } from './versions.js';

const REFRESH_PAUSE_MS = 500;

export class Rooms {
  openKey = null;
  wantsWhole = false; // a refresh of all that is shown has failed
  query = find('#search-input').defaultValue.trim(); // of which the server has rendered the rooms
  #readSeqs = new Map(); // key → seq
  #elsewhere = 0; // mentions in rooms that the list does not show
  #typing = null; // the RoomTyping, once somebody types
  #folded = (text) => text.toLowerCase(); // as names are compared: known when somebody searches

  /**
   * `onUnread(total)` is called with the number of mentions that are unread: a room that is merely new is quiet. `loadPages()` resolves to
   * page-more.js.
   */
  constructor({ onUnread, loadPages }) {
    Object.assign(this, { onUnread, loadPages });
    this.section = find('#rooms-section');
    this.refreshSoon = debounce(REFRESH_PAUSE_MS, () => this.refresh());
    this.section.addEventListener('click', (event) => this.#clicked(event));
    if ('found' in this.list.dataset) {
      for (const { dataset } of this.cards) dataset.extra = '';
      this.markFound(this.cards, find('#rooms-more'));
    }
    this.hydrate();
  }

  get list() {
    return find('#rooms');
  }

  get cards() {
    return findAll('li.room', this.section);
  }

  get links() {
    return this.cards.filter((card) => !card.hidden).map((card) => find('a', card));
  }

  card(key) {
    return this.cards.find((card) => keyOfCard(card) === key);
  }

  setOpen(key) {
    this.openKey = key;
    for (const link of findAll('a[aria-current]', this.section)) link.removeAttribute('aria-current');
    if (key) this.card(key)?.querySelector('a').setAttribute('aria-current', 'page');
  }

  /** Shows the rooms whose name contains `query`, as `folded` compares names. Resolves after the server's results were added. */
  async filter(query, folded) {
    this.query = query;
    this.#folded = folded;
    const hasOnlyResults = 'found' in this.list.dataset; // the list has only an earlier search's results: fetch it anew
    if (!query && !hasOnlyResults) this.#dropExtra();
    this.#showFound();
    if (hasOnlyResults) await this.refresh();
    if (query && find('#rooms-more')) await this.#fetch('search', query);
  }

  /** The server has found `cards` for what is searched for, and more where the link `more` leads. It compares names in its own way. */
  markFound(cards, more) {
    for (const { dataset } of cards) dataset.found = this.query;
    if (more) Object.assign(more, { id: 'rooms-found' }).dataset.found = this.query;
  }

  /** Takes away the cards that a search has added: in the list they have no place yet. That of the open room stays. */
  #dropExtra() {
    for (const card of findAll('li.room[data-extra]', this.section)) {
      if (keyOfCard(card) === this.openKey) continue;
      this.#elsewhere += mentionsOf(card);
      card.remove();
    }
  }

  #showFound() {
    const wanted = this.#folded(this.query);
    const isFound = (card) => card.dataset.found === this.query || this.#folded(part(card, 'name').textContent).includes(wanted);
    for (const card of this.cards) card.hidden = !isFound(card);
    find('#rooms-more')?.toggleAttribute('hidden', Boolean(wanted));
    if (find('#rooms-found')?.dataset.found !== this.query) find('#rooms-found')?.remove();
    find('#rooms-empty').hidden = this.cards.length > 0 || Boolean(wanted);
    this.section.hidden = Boolean(wanted) && !this.links.length;
  }

  // What comes

  /** Shows a message as the newest one of its room. `isSeen`: its reader has it on the screen. */
  message(message, isSeen) {
    const key = roomKey(message.conversationId);
    const card = this.card(key);
    const isMine = message.senderId === me.id;
    if (!isMine) this.#typing?.end(key, message.senderId);
    if (!isMine && !isSeen && !isLarge(card)) markDelivered(key, message.seq);
    if (!card) return this.refreshSoon();
    const lastSeq = lastSeqOf(card);
    if (message.seq <= lastSeq) return;
    if (message.seq > lastSeq + 1) this.refreshSoon(); // something was missed
    if (!isMine && !isSeen && message.kind === 'text' && message.seq > this.#readSeq(key)) {
      this.#showUnread(card, this.unread(key) + 1, mentionsOf(card) + (mentionsMe(message) ? 1 : 0));
    }
    card.dataset.lastSeq = message.seq;
    showLast(card, message);
    part(card, 'time').dateTime = message.timestamp;
    showAge(part(card, 'time'));
    this.#raise(card);
  }

  /** Shows what has become of a message. */
  changedMessage(key, message) {
    const card = this.card(key);
    if (lastSeqOf(card) === message.seq) showLast(card, message);
    const counted = card ? mentionsOf(card) : this.#elsewhere;
    const isRead = card ? !this.unread(key) : !counted && !mentionsMe(message);
    const isCounted = message.deleted || (message.editedAt && (counted || mentionsMe(message)));
    if (!isRead && isCounted && message.senderId !== me.id) this.refreshSoon(); // the server may count it in another way than before
  }

  /** Moves a card to the top. A card with the focus would lose it: it stays in place, and those above it go below it. */
  #raise(card) {
    const list = card.parentElement;
    if (card.contains(document.activeElement)) card.after(...this.cards.slice(0, this.cards.indexOf(card)));
    else if (card !== list.firstElementChild) list.prepend(card);
  }

  /** Takes what has changed of a room: what a card shows is shown at once, and the server is asked for what is not here. */
  changed(room) {
    const card = this.card(roomKey(room.id));
    const isShown = card ? showRoom(card, room) : !room.role; // who is told a role may have become a member
    if (!isShown) this.refreshSoon();
  }

  left(key) {
    this.refreshSoon(); // an answer that is under way has its card, and the server counts what was in it
    this.card(key)?.remove();
    this.#showFound();
    this.#count();
  }

  /** Somebody is typing. */
  async typing(payload) {
    const { RoomTyping } = await this.loadPages().catch(() => ({}));
    if (!RoomTyping) return;
    this.#typing ??= new RoomTyping(this);
    this.#typing.begin(roomKey(payload.conversationId), payload);
  }

  showAges() {
    for (const card of this.cards) showAge(part(card, 'time'));
  }

  // What is unread

  unread(key) {
    return Number(this.card(key)?.dataset.unread ?? 0);
  }

  #readSeq(key) {
    return this.#readSeqs.get(key) ?? 0;
  }

  /** The room has been read up to `seq`, here or in another tab. */
  read(key, seq) {
    const isNews = seq > this.#readSeq(key);
    if (isNews) this.#readSeqs.set(key, seq);
    const card = this.card(key);
    if (isNews && !card && this.#elsewhere) this.refreshSoon();
    if (!card || !(this.unread(key) || mentionsOf(card))) return;
    if (seq >= lastSeqOf(card)) this.#showUnread(card, 0, 0);
    else this.refreshSoon(); // the server counts how many are left
  }

  /** Somebody has marked it as unread: what is known here counts no more. */
  forgetRead(key) {
    this.#readSeqs.delete(key);
  }

  #showUnread(card, unread, mentions) {
    showUnread(card, unread, mentions);
    this.#count();
  }

  #count() {
    this.onUnread(this.#elsewhere + this.#listed);
  }

  /** The number of mentions in the rooms of the list. */
  get #listed() {
    return this.cards.reduce((total, card) => total + mentionsOf(card), 0);
  }

  // What the server renders

  /** Calls a method of what fetches the list, which is loaded later. */
  #fetch(name, ...values) {
    return this.loadPages().then(({ RoomPages }) => new RoomPages(this)[name](...values), () => {});
  }

  /** Fetches the top of the list anew; with `isWhole` all of it that is shown. */
  refresh(isWhole) {
    return this.#fetch('refresh', isWhole);
  }

  #clicked(event) {
    const link = event.target.closest('a[rel="next"]');
    if (!link) return;
    event.preventDefault();
    if (link.id === 'rooms-found') this.#fetch('search', this.query, link);
    else this.#fetch('showMore', link);
  }

  hydrate() {
    this.#elsewhere = Math.max(0, Number(this.list.dataset.mentionsTotal ?? 0) - this.#listed);
    for (const card of this.cards) {
      const isRead = this.#readSeq(keyOfCard(card)) >= lastSeqOf(card);
      const version = versionOf(keyOfCard(card), lastSeqOf(card));
      if (version?.lastChange > Number(card.dataset.lastChange)) showLast(card, version); // the list may be older than that
      showAge(part(card, 'time'));
      if (!isRead && card.dataset.unread > 0 && !isLarge(card)) markDelivered(keyOfCard(card), lastSeqOf(card));
      this.#showUnread(card, isRead ? 0 : Number(card.dataset.unread), isRead ? 0 : mentionsOf(card));
    }
    this.#showFound();
    this.setOpen(this.openKey);
  }
}
