/** Who is typing in a room: on its card, and above the field where it is open. Loaded later (rooms.js). */

import { gettext, ngettext } from './i18n.js';
import { loadLaterStyles } from './later-styles.js';
import { faceOf, find, fromTemplate, part, setText } from './page.js';
import { showPreview } from './room-card.js';

const MAX_FACES = 3;
const TYPING_MS = 5_000; // without another sign of it, typing has ended

export class RoomTyping {
  #people = new Map(); // key → Map of user id → {username, timer}

  /** `rooms` is the list. */
  constructor(rooms) {
    this.rooms = rooms;
  }

  /** Without another sign of it, typing ends by itself. */
  begin(key, { userId, username }) {
    const people = this.#people.get(key) ?? new Map();
    clearTimeout(people.get(userId)?.timer);
    people.set(userId, { username, timer: setTimeout(() => this.end(key, userId), TYPING_MS) });
    this.#people.set(key, people);
    this.#show(key);
  }

  end(key, userId) {
    const people = this.#people.get(key);
    clearTimeout(people?.get(userId)?.timer);
    if (people?.delete(userId)) this.#show(key);
  }

  #show(key) {
    const people = this.#people.get(key);
    const names = [...people.values()].map(({ username }) => username);
    const card = this.rooms.card(key);
    if (card) showPreview(card, card.dataset.preview ?? part(card, 'preview').textContent.trim());
    if (card && names.length) setText(part(card, 'preview'), typingWords(names));
    card?.toggleAttribute('data-typing', names.length > 0);
    if (key === this.rooms.openKey) showTyping(find('#typing'), [...people.keys()], names);
  }
}

function showTyping(line, ids, names) {
  if (!names.length) return line.replaceChildren();
  loadLaterStyles();
  if (!line.firstElementChild) line.append(fromTemplate('typing-template'));
  part(line, 'typing-faces').replaceChildren(...ids.slice(0, MAX_FACES).map((id) => faceOf(id, 20)));
  setText(part(line, 'typing-words'), typingWords(names));
}

function typingWords(names) {
  if (names.length === 1) return gettext('%(name)s is typing…', { name: names[0] });
  if (names.length === 2) return gettext('%(name)s and %(other)s are typing…', { name: names[0], other: names[1] });
  return ngettext('%(num)s people are typing…', '%(num)s people are typing…', names.length);
}
