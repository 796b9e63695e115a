/** The list of rooms: a card for each, with the newest message, what is unread, and whether the reader is mentioned. */

import { roomKey } from './address.js';
import { showAge } from './dates.js';
import { badge, gettext, unreadWords } from './i18n.js';
import { debounce, find, findAll, me, part, setText } from './page.js';
import { noticeWords } from './notice.js';
import { lastSeqOf } from './person-card.js';
import { markDelivered } from './socket.js';
import { shortWords } from './text.js';
import { versionOf } from './versions.js';

const REFRESH_PAUSE_MS = 500;
const EVERYBODY = 0; // the id of a mention of all members

export class Rooms {
  openKey = null;
  #query = '';
  #readSeqs = new Map(); // key → seq
  #typing = null; // the RoomTyping, once somebody types

  /**
   * `onUnread(total)` is called with the number of mentions that are unread: a room that is merely new is quiet. `loadPages()` resolves to
   * page-more.js.
   */
  constructor({ onUnread, loadPages }) {
    Object.assign(this, { onUnread, loadPages });
    this.section = find('#rooms-section');
    this.refreshSoon = debounce(REFRESH_PAUSE_MS, () => this.refresh());
    this.section.addEventListener('click', (event) => this.#clicked(event));
    this.hydrate();
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

  /** Shows the rooms whose name contains `query`. */
  filter(query) {
    this.#query = query.toLowerCase();
    for (const card of this.cards) card.hidden = !part(card, 'name').textContent.toLowerCase().includes(this.#query);
    this.section.hidden = Boolean(query) && this.cards.every((card) => card.hidden);
  }

  // What comes

  /** Shows a message as the newest one of its room. `isSeen`: its reader has it on the screen. */
  message(message, isSeen) {
    const key = roomKey(message.conversationId);
    const card = this.card(key);
    const isMine = message.senderId === me.id;
    if (!isMine) this.#typing?.end(key, message.senderId);
    if (!isMine && !isSeen) markDelivered(key, message.seq);
    if (!card) return this.refreshSoon();
    const lastSeq = lastSeqOf(card);
    if (message.seq <= lastSeq) return;
    if (message.seq > lastSeq + 1) this.refreshSoon(); // something was missed
    if (!isMine && !isSeen && message.kind === 'text' && message.seq > this.#readSeq(key)) {
      this.#showUnread(card, this.unread(key) + 1, mentionsOf(card) + (mentionsMe(message) ? 1 : 0));
    }
    card.dataset.lastSeq = message.seq;
    this.showPreview(card, previewOf(message));
    part(card, 'time').dateTime = message.timestamp;
    showAge(part(card, 'time'));
    this.#raise(card);
  }

  /** Shows what has become of a message. */
  changedMessage(key, message) {
    const card = this.card(key);
    if (lastSeqOf(card) === message.seq) this.showPreview(card, previewOf(message));
    if (message.deleted && this.unread(key)) this.refreshSoon(); // the server counts it no more
  }

  /** Moves a card to the top, unless it has the focus, which it would lose. */
  #raise(card) {
    const list = card.parentElement;
    if (!card.contains(document.activeElement) && card !== list.firstElementChild) list.prepend(card);
  }

  /** Takes what has changed of a room. */
  changed({ id, notify }) {
    const card = this.card(roomKey(id));
    if (card && notify) card.dataset.notify = notify;
    this.refreshSoon();
  }

  left(key) {
    this.card(key)?.remove();
    this.#count();
  }

  /** Somebody is typing. */
  async typing(payload) {
    const { RoomTyping } = await this.loadPages().catch(() => ({}));
    if (!RoomTyping) return;
    this.#typing ??= new RoomTyping(this);
    this.#typing.begin(roomKey(payload.conversationId), payload);
  }

  showPreview(card, text) {
    card.dataset.preview = text;
    setText(part(card, 'preview'), text);
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
    if (seq > this.#readSeq(key)) this.#readSeqs.set(key, seq);
    const card = this.card(key);
    if (!card || !(this.unread(key) || mentionsOf(card))) return;
    if (seq >= lastSeqOf(card)) this.#showUnread(card, 0, 0);
    else this.refreshSoon(); // the server counts how many are left
  }

  /** Somebody has marked it as unread: what is known here counts no more. */
  forgetRead(key) {
    this.#readSeqs.delete(key);
  }

  #showUnread(card, unread, mentions) {
    Object.assign(card.dataset, { unread, mentions });
    const isMuted = card.dataset.notify === 'none';
    part(card, 'muted').hidden = !isMuted;
    part(card, 'unread').hidden = unread === 0 || isMuted;
    part(card, 'mentioned').hidden = mentions === 0;
    setText(part(card, 'unread-count'), badge(unread));
    setText(part(card, 'unread-text'), unreadWords(unread));
    this.#count();
  }

  #count() {
    this.onUnread(this.cards.reduce((total, card) => total + mentionsOf(card), 0));
  }

  // What the server renders

  /** Calls a method of what fetches the list, which is loaded later. */
  #fetch(name, ...values) {
    return this.loadPages().then(({ RoomPages }) => new RoomPages(this)[name](...values), () => {});
  }

  /** Fetches the list anew. */
  refresh() {
    return this.#fetch('refresh');
  }

  #clicked(event) {
    const link = event.target.closest('#rooms-more');
    if (!link) return;
    event.preventDefault();
    this.#fetch('showMore', link);
  }

  hydrate() {
    for (const card of this.cards) {
      const isRead = this.#readSeq(keyOfCard(card)) >= lastSeqOf(card);
      const version = versionOf(keyOfCard(card), lastSeqOf(card));
      if (version) this.showPreview(card, previewOf(version)); // the list may be older than that
      showAge(part(card, 'time'));
      this.#showUnread(card, isRead ? 0 : Number(card.dataset.unread), isRead ? 0 : mentionsOf(card));
    }
    this.filter(this.#query);
    this.setOpen(this.openKey);
  }
}

const keyOfCard = (card) => roomKey(card.dataset.roomId);
const mentionsOf = (card) => Number(card.dataset.mentions);

/** Whether a message mentions the reader, by name or with everybody. */
export function mentionsMe({ mentions, mentionSpans }) {
  return mentions.includes(me.id) || Boolean(mentionSpans?.some(({ id }) => id === EVERYBODY));
}

/** A message in short, as the list shows it. */
function previewOf(message) {
  if (message.kind !== 'text') return noticeWords(message);
  const text = shortWords(message);
  if (message.deleted) return text;
  if (message.senderId === me.id) return gettext('You: %(message)s', { message: text });
  return gettext('%(name)s: %(message)s', { name: message.sender, message: text });
}
