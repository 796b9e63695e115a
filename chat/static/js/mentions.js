/** What an `@` may mean, for completion.js: the members of a room, and for owners everybody. */

import { folded } from './folding.js';
import { gettext, ngettext } from './i18n.js';
import { faceOf } from './page.js';
import { RoomMembers } from './room-members.js';

const MAX_SHOWN = 8; // people
const EVERYBODY = { id: 0, username: 'all' }; // `@all`, for owners

// An `@` that begins a mention, as in chat/conversations/mentions.py, and what was written of the name. A name has at most 32 characters.
const SIGN = /(?<![\p{L}\p{M}\p{N}\p{Cf}_@])@(|[^\s@][^\n@]{0,31})$/u;

export class Mentions {
  label = gettext('Members');

  /** Of the room `roomId`. `signal` ends it. */
  constructor(roomId, signal) {
    Object.assign(this, { roomId, signal });
    this.forget();
  }

  /** The members have changed: they are fetched anew when they are needed. */
  forget() {
    this.members = new RoomMembers(this.roomId, this.signal);
  }

  find(before) {
    const found = SIGN.exec(before);
    return found && { start: found.index, query: found[1] };
  }

  isComplete(query) {
    return this.members.isComplete || this.members.matching(query, MAX_SHOWN).length === MAX_SHOWN;
  }

  fetchMore() {
    return this.members.fetchMore();
  }

  /** Everybody comes last, unless the name is written out: they are not mentioned by mistake. */
  matching(query) {
    const people = this.members.matching(query, MAX_SHOWN);
    const wanted = folded(query);
    if (!this.members.isOwner || !EVERYBODY.username.startsWith(wanted)) return people;
    const others = people.slice(0, MAX_SHOWN - 1);
    return wanted === EVERYBODY.username ? [EVERYBODY, ...others] : [...others, EVERYBODY];
  }

  textOf({ username }) {
    return `@${username} `;
  }

  foundWords(count) {
    return ngettext('%(num)s person found', '%(num)s people found', count);
  }

  makeOption({ id, username }) {
    const name = Object.assign(document.createElement('bdi'), { className: 'member-name', textContent: username });
    if (id) return [faceOf(id, 32), name];
    return [makeSign(), name, Object.assign(document.createElement('span'), { className: 'role', textContent: gettext('Everybody') })];
  }
}

function makeSign() {
  const sign = Object.assign(document.createElement('span'), { className: 'tile', textContent: '@', ariaHidden: 'true' });
  sign.dataset.tint = 0;
  return sign;
}
