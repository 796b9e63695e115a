/** Who is online and who is typing: on the cards of the list, and below the name of the open conversation. */

import { gettext, ngettext } from './i18n.js';
import { find, me, part, setText } from './page.js';
import { online } from './socket.js';

const TYPING_MS = 5_000; // without another sign of it, typing has ended

export class PeopleStatus {
  isKnown = true; // whether there is a connection that tells who is online
  #typingTimers = new Map(); // user id → timer

  /** `cardOf(id)` gives a person's card, if the list has one. */
  constructor(cardOf) {
    this.cardOf = cardOf;
  }

  typing(id) {
    clearTimeout(this.#typingTimers.get(id));
    this.#typingTimers.set(id, setTimeout(() => this.stopTyping(id), TYPING_MS));
    this.show(id);
  }

  stopTyping(id) {
    clearTimeout(this.#typingTimers.get(id));
    if (this.#typingTimers.delete(id)) this.show(id);
  }

  showOnlineCount() {
    const others = online.size - (online.has(me.id) ? 1 : 0);
    setText(find('#online-count'), ngettext('%(num)s online', '%(num)s online', others));
  }

  hideOnlineCount() {
    setText(find('#online-count'), '');
  }

  show(id) {
    const isTyping = this.#typingTimers.has(id) && this.isKnown;
    const isOnline = this.isKnown ? online.has(id) : 'unknown';
    const presence = !this.isKnown ? '' : isOnline ? gettext('online') : gettext('offline');
    const words = isTyping ? gettext('is typing…') : presence;
    const header = find(`#conversation[data-peer-id="${id}"]`);
    for (const [element, name] of [[this.cardOf(id), 'status'], [header, 'peer-status']]) {
      if (!element) continue;
      element.dataset.online = isOnline;
      element.toggleAttribute('data-typing', isTyping);
      setText(part(element, name), words);
    }
    const member = find(`#members > li[data-user-id="${id}"]`); // in the panel about a room
    if (!member) return;
    member.dataset.online = isOnline;
    setText(part(member, 'status'), presence);
  }
}
