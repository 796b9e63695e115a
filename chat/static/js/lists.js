/** The two lists of the left pane, rooms and people, by the key of a conversation (address.js). */

import { isRoom, keyOfMessage } from './address.js';
import { loadPageMore } from './load-page-more.js';
import { find, me } from './page.js';
import { People } from './people.js';
import { lastSeqOf } from './person-card.js';
import { Rooms } from './rooms.js';

export class Lists {
  #unread = { people: 0, rooms: 0 };
  #marked = new Map(); // key of what was marked as unread → the newest seq then: to have read so far does not count

  /**
   * `onUnread(total)` is called with the number of all that is said to the reader, `say(words)` with what a search has found,
   * `onRead(key, seq)` when a conversation has been read up to `seq`.
   */
  constructor(onUnread, say, onRead) {
    this.onRead = onRead;
    const counted = (name) => (count) => {
      this.#unread[name] = count;
      onUnread(this.#unread.people + this.#unread.rooms);
    };
    this.rooms = new Rooms({ onUnread: counted('rooms'), loadPages: loadPageMore });
    this.people = new People({
      onUnread: counted('people'), say, onQuery: (...search) => this.rooms.filter(...search), roomLinks: () => this.rooms.links, loadPages: loadPageMore,
    });
  }

  #of(key) {
    return isRoom(key) ? this.rooms : this.people;
  }

  card(key) {
    return this.#of(key).card(key);
  }

  unread(key) {
    return this.#of(key).unread(key);
  }

  read(key, seq) {
    if (seq <= this.#marked.get(key)) return;
    this.#marked.delete(key);
    this.#of(key).read(key, seq);
    this.onRead(key, seq);
  }

  message(message, isSeen) {
    this.#of(keyOfMessage(message, me.id)).message(message, isSeen);
  }

  /** Shows what has become of a message. */
  changed(message) {
    const key = keyOfMessage(message, me.id);
    if (isRoom(key)) this.rooms.changedMessage(key, message);
    else this.people.changed(key, message);
  }

  /** A conversation was marked as unread: it stays so until it is opened, or something newer is read. */
  markedUnread(key) {
    this.#marked.set(key, lastSeqOf(this.card(key)));
    this.#of(key).forgetRead(key);
    this.#of(key).refresh(true); // its card may be far down
  }

  /** That it was marked as unread is taken back. */
  markedRead(key) {
    this.opened(key);
    this.#of(key).refresh(true);
  }

  opened(key) {
    this.#marked.delete(key);
  }

  typing(payload) {
    if (payload.conversationId) this.rooms.typing(payload);
    else this.people.typing(payload.userId);
  }

  /** Fetches the tops of the lists anew; with `isWhole` all that they show. */
  refresh(isWhole = false) {
    this.people.refresh(isWhole);
    this.rooms.refresh(isWhole);
  }

  showAges() {
    this.people.showAges();
    this.rooms.showAges();
  }

  /** Marks the conversation with that key as the open one; null for none. */
  setOpen(key) {
    this.people.setOpen(isRoom(key) ? 0 : key ?? 0);
    this.rooms.setOpen(isRoom(key) ? key : null);
  }

  /** The link `step` links below that of the open conversation, or above it if `step` is negative. */
  neighbour(step) {
    const links = [...this.rooms.links, ...this.people.links];
    const current = links.findIndex((link) => link.ariaCurrent === 'page');
    return current < 0 ? links[0] : links[current + step];
  }

  get search() {
    return this.people.search;
  }

  get pane() {
    return find('#people-pane');
  }
}
