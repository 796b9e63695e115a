/**
 * Completes the name of a member after an `@`, in a list above the field. The focus stays in the field: the arrow keys
 * choose in the list, Enter, Tab or a press takes what is chosen, Escape closes it. The pattern is that of a combobox.
 */

import { say } from './announcer.js';
import { gettext, ngettext } from './i18n.js';
import { findAll, isComposing } from './page.js';
import { RoomMembers } from './room-members.js';
import { folded } from './text.js';

const MAX_SHOWN = 8; // people
const EVERYBODY = { id: 0, username: 'all' }; // `@all`, for owners

// An `@` that begins a mention, as in chat/conversations/mentions.py, and what was written of the name. A name has at most 32 characters.
const SIGN = /(?<![\p{L}\p{N}_@])@(|[^\s@][^\n@]{0,31})$/u;

export class MentionCompletion {
  #shown = []; // the people in the list
  #active = 0; // the index of the one who is chosen
  #closedAt = -1; // the place of the sign whose list was closed: it does not open again
  #looking = null; // stands for the search under way

  /** Completes names of members of the room `roomId` in the field of `form`. `signal` ends it. */
  constructor(form, field, roomId, signal) {
    Object.assign(this, { field, roomId, signal });
    this.list = Object.assign(document.createElement('ul'), { id: 'mentions', className: 'menu', role: 'listbox', tabIndex: 0, hidden: true });
    this.list.ariaLabel = gettext('Members');
    field.after(this.list);
    field.ariaAutoComplete = 'list';
    this.forgetMembers();
    // Before the field's own keys: the composer would send with Enter, the page would go back with Escape.
    form.addEventListener('keydown', (event) => this.#pressed(event), { signal, capture: true });
    form.addEventListener('submit', () => this.#close(), { signal });
    field.addEventListener('input', () => this.update(), { signal });
    field.addEventListener('blur', () => this.#close(), { signal });
    document.addEventListener('selectionchange', () => !this.list.hidden && this.update(), { signal });
    this.list.addEventListener('mousedown', (event) => event.preventDefault(), { signal }); // the field keeps the focus
    this.list.addEventListener('click', ({ target }) => this.#choose(this.#options.indexOf(target.closest('[role=option]'))), { signal });
    this.update();
  }

  /** The members have changed: they are fetched anew when they are needed. */
  forgetMembers() {
    this.members = new RoomMembers(this.roomId, this.signal);
  }

  get #options() {
    return findAll('[role=option]', this.list);
  }

  /** What is being written of a name before the caret, `{start, name}`; null if it is none. */
  #mention() {
    const { value, selectionStart, selectionEnd } = this.field;
    if (selectionStart !== selectionEnd) return null;
    const found = SIGN.exec(value.slice(0, selectionStart));
    return found && { start: found.index, name: found[1] };
  }

  /** Shows who fits what stands before the caret. Members who are not known yet are fetched until the list is full. */
  async update() {
    const mention = this.#mention();
    if (mention?.start !== this.#closedAt) this.#closedAt = -1;
    if (!mention || this.#closedAt >= 0) return this.#close();
    const looking = this.#looking = {};
    const { members } = this;
    const isFull = () => members.isComplete || members.matching(mention.name, MAX_SHOWN).length === MAX_SHOWN;
    try {
      while (!isFull()) {
        this.#show(mention.name);
        await members.fetchMore();
        if (this.#looking !== looking) return;
      }
    } catch {
      if (this.#looking !== looking) return; // without a network, who is known already can be mentioned
    }
    this.#show(mention.name);
  }

  #show(name) {
    const before = this.list.hidden ? [] : this.#shown;
    this.#shown = this.#fitting(name);
    if (!this.#shown.length) return this.#hide();
    const isSame = this.#shown.length === before.length && before.every(({ id }, index) => id === this.#shown[index].id);
    if (isSame) return;
    this.list.replaceChildren(...this.#shown.map(makeOption));
    this.list.hidden = false;
    this.field.setAttribute('aria-controls', this.list.id);
    this.#activate(0);
    const { length } = this.#shown;
    if (length !== before.length) say(ngettext('%(num)s person found', '%(num)s people found', length));
  }

  /** Who fits a beginning. Everybody comes last, unless the name is written out: they are not mentioned by mistake. */
  #fitting(name) {
    const people = this.members.matching(name, MAX_SHOWN);
    const wanted = folded(name);
    if (!this.members.isOwner || !EVERYBODY.username.startsWith(wanted)) return people;
    const others = people.slice(0, MAX_SHOWN - 1);
    return wanted === EVERYBODY.username ? [EVERYBODY, ...others] : [...others, EVERYBODY];
  }

  #activate(index) {
    const options = this.#options;
    this.#active = (index + options.length) % options.length;
    options.forEach((option, place) => { option.ariaSelected = String(place === this.#active); });
    options[this.#active].scrollIntoView({ block: 'nearest' });
    this.field.setAttribute('aria-activedescendant', options[this.#active].id);
  }

  #pressed(event) {
    const hasModifier = event.altKey || event.ctrlKey || event.metaKey || event.shiftKey;
    if (event.target !== this.field || this.list.hidden || hasModifier || isComposing(event)) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) this.#activate(this.#active + step);
    else if (event.key === 'Enter' || event.key === 'Tab') this.#choose(this.#active);
    else if (event.key === 'Escape') this.#dismiss();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Puts the name of a person of the list in the place of what was written of it, and a blank after it. */
  #choose(index) {
    const mention = this.#mention();
    const person = this.#shown[index];
    if (!mention || !person) return;
    const { field } = this;
    const end = field.selectionEnd;
    const blank = field.value[end] === ' ' ? '' : ' ';
    field.setRangeText(`@${person.username}${blank}`, mention.start, end, 'end');
    if (!blank) field.selectionEnd = field.selectionStart += 1;
    this.#dismiss();
    field.dispatchEvent(new InputEvent('input', { bubbles: true })); // the draft is saved, the field grows
  }

  #dismiss() {
    this.#closedAt = this.#mention()?.start ?? -1;
    this.#close();
  }

  #close() {
    this.#looking = null;
    this.#hide();
  }

  #hide() {
    if (this.list.hidden) return;
    this.list.hidden = true;
    this.field.removeAttribute('aria-controls');
    this.field.removeAttribute('aria-activedescendant');
  }
}

function makeOption({ id, username }, index) {
  const option = Object.assign(document.createElement('li'), { id: `mention-${index}`, className: 'member', role: 'option' });
  const name = Object.assign(document.createElement('bdi'), { className: 'member-name', textContent: username });
  option.append(id ? makeFace(id) : makeSign(), name);
  if (!id) option.append(Object.assign(document.createElement('span'), { className: 'role', textContent: gettext('Everybody') }));
  return option;
}

function makeFace(id) {
  const face = Object.assign(new Image(32, 32), { className: 'avatar', alt: '', src: `/face/${id}` });
  face.dataset.tint = id % 8;
  return face;
}

function makeSign() {
  const sign = Object.assign(document.createElement('span'), { className: 'tile', textContent: '@', ariaHidden: 'true' });
  sign.dataset.tint = 0;
  return sign;
}
