/**
 * Notifications of an open tab, by the browser. What is on the screen of a focused window needs none, and of the tabs of
 * one person the leader (leader.js) shows them for all. Where the browser has not been asked yet, a card of the page asks first.
 */

import { isRoom, keyOfMessage } from './address.js';
import { plainWords } from './formatter.js';
import { fetchMessages, request } from './http.js';
import { filesInWords } from './file-words.js';
import { gettext } from './i18n.js';
import { isWatched, me, part } from './page.js';
import { mentionsMe } from './room-card.js';
import { shortened } from './text.js';
import { newest, remember } from './versions.js';

const QUESTION_MS = 200; // for other tabs to say that a conversation is on their screen

export class Notifier {
  #shown = new Map(); // key of a conversation → {notification, message, body, room}
  #readSeqs = new Map(); // key → seq
  #waiting = new Map(); // key → Set of functions that take another tab's answer
  #card = null; // a promise of the module of the card
  #tabs = new BroadcastChannel(`notify:${me.id}`);

  /** `lists` has the rooms, `navigation` the open conversation, `leader` says which of the person's tabs notifies. */
  constructor(lists, navigation, leader) {
    Object.assign(this, { lists, navigation, leader });
    this.#tabs.onmessage = ({ data }) => this.#receiveFromTab(data);
    addEventListener('pagehide', () => this.#shown.forEach(({ notification }) => notification.close())); // a press on them would lead nowhere
  }

  /** Takes a message that somebody else has just sent. */
  async messageCame(message) {
    const key = keyOfMessage(message, me.id);
    const room = message.kind === 'text' && isRoom(key) ? await this.#room(key, message) : null;
    if (message.kind !== 'text' || (room && !isWanted(room.notify, message))) return;
    if (Notification.permission === 'default') this.#ask();
    if (this.#isOnScreen(key)) return this.#tell('onScreen', key);
    if (Notification.permission !== 'granted' || (await this.#isOnAnotherScreen(key))) return;
    const seen = Math.max(this.#readSeqs.get(key) ?? 0, this.#shown.get(key)?.message.seq ?? 0); // a message may come twice
    const current = newest(message);
    if (this.leader.isLeading && message.seq > seen && !current.deleted && !this.#isOnScreen(key)) this.#show(current, key, room);
  }

  /** A message is different now: its notification is shown anew, or withdrawn. */
  messageChanged(message) {
    const key = keyOfMessage(message, me.id);
    const shown = this.#shown.get(key);
    if (shown?.message.seq !== message.seq) return;
    if (message.deleted) shown.notification.close();
    else if (bodyOf(message, shown.room) !== shown.body) this.#show(message, key, shown.room);
  }

  /** Asks what has become of the messages that are shown, after a time without a connection. */
  async reconnected() {
    for (const { message: { conversationId, seq } } of [...this.#shown.values()]) {
      const page = await fetchMessages(`/conversations/${conversationId}/messages`, { after: seq - 1, limit: 1 }).catch(() => null);
      page?.messages.forEach(remember);
    }
  }

  /** A conversation has been read up to `seq`, in whatever tab: its notification is withdrawn. Infinity: its reader has left it. */
  read(key, seq) {
    if (seq === Infinity) this.#readSeqs.delete(key); // who comes back to a room is notified again
    else this.#readSeqs.set(key, Math.max(seq, this.#readSeqs.get(key) ?? 0));
    const shown = this.#shown.get(key);
    if (shown && shown.message.seq <= seq) shown.notification.close();
  }

  // What is notified of

  /** The name of a room, and of what its reader wants to be notified, as the list has them; one further down is fetched. */
  async #room(key, { conversationId }) {
    const card = this.lists.card(key);
    if (card) return { name: part(card, 'name').textContent, notify: card.dataset.notify };
    return request(`/rooms/${conversationId}`, 'application/json').then((answer) => answer.json()).catch(() => ({ notify: 'none' }));
  }

  #isOnScreen(key) {
    return isWatched() && Boolean(this.navigation.conversationWith(key));
  }

  async #isOnAnotherScreen(key) {
    const waiting = this.#waiting.get(key) ?? new Set();
    this.#waiting.set(key, waiting);
    this.#tell('isOnScreen?', key);
    return new Promise((resolve) => {
      waiting.add(resolve);
      setTimeout(() => {
        waiting.delete(resolve);
        resolve(false);
      }, QUESTION_MS);
    });
  }

  #show(message, key, room) {
    const { sender } = message;
    const body = bodyOf(message, room);
    let notification;
    try {
      // Of notifications with one tag the browser shows the newest.
      notification = new Notification(room?.name ?? sender, { body, tag: `${me.id}:${key}`, silent: true });
    } catch {
      return; // some browsers of telephones have them for service workers only
    }
    this.#shown.set(key, { notification, message, body, room });
    notification.onclick = () => {
      notification.close();
      window.focus();
      this.#open(message, key);
    };
    notification.onclose = () => {
      if (this.#shown.get(key)?.notification === notification) this.#shown.delete(key);
    };
  }

  /** Goes to the message, in the conversation that is open or on the page at its place. */
  #open({ sender, conversationId, seq }, key) {
    const conversation = this.navigation.conversationWith(key);
    if (conversation) return import('./conversation-more.js').then(({ goTo }) => goTo(conversation.messageList, seq), () => conversation.messageList.toEnd());
    const path = isRoom(key) ? `/rooms/${conversationId}` : `/chat/${encodeURIComponent(sender)}`;
    return this.navigation.visit(new URL(`${path}?at=${seq}`, location));
  }

  // The card that asks

  async #ask() {
    this.#card ??= import('./notify-card.js').catch(() => null);
    const card = await this.#card;
    if (!card) this.#card = null; // it may come with the next message
    // Without a conversation the focus goes to the first link of the list.
    card?.showCard(() => this.#tell('decided'), () => (this.navigation.conversation ?? this.lists.neighbour(1))?.focus());
  }

  // What tabs tell each other

  #tell(type, key) {
    this.#tabs.postMessage({ type, key });
  }

  async #receiveFromTab({ type, key }) {
    if (type === 'isOnScreen?' && this.#isOnScreen(key)) this.#tell('onScreen', key);
    if (type === 'onScreen') {
      this.#waiting.get(key)?.forEach((resolve) => resolve(true));
    }
    if (type === 'decided') (await this.#card)?.hideCard();
  }
}

function bodyOf({ sender, message, files }, room) {
  const text = shortened(plainWords(message)) || filesInWords(files);
  return room ? gettext('%(name)s: %(message)s', { name: sender, message: text }) : text;
}

function isWanted(level, message) {
  return level === 'all' || (level === 'mentions' && mentionsMe(message));
}
