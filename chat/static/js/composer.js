/** The field in which a message is written: its keys, its draft, its counter. */

import { ngettext } from './i18n.js';
import { find, isComposing, me, onTouch, setText } from './page.js';
import { trimmed } from './text.js';

const LIMIT = 4_000; // characters, as the server counts them
const COUNT_FROM = 3_800;
const TYPING_PAUSE_MS = 3_000;
// What is not seen leaves a bubble empty, and the server refuses it: the same characters as in chat/accounts/characters.py.
const BLANK =
  /^[\p{Cc}\p{Cf}\p{Z}\p{Default_Ignorable_Code_Point}\u2800\uFFFC\u{13441}\u{13442}\u{16FE4}\u{1D159}]*$/u;
const GROWS_BY_ITSELF = CSS.supports('field-sizing', 'content');

const unsaved = new Map(); // drafts that the browser's storage, closed or full, does not take: they end with the page

function readDraft(key) {
  try {
    return unsaved.get(key) ?? localStorage.getItem(key) ?? '';
  } catch {
    return '';
  }
}

/** Returns whether the browser keeps it. */
function keepDraft(key, text) {
  try {
    if (text) localStorage.setItem(key, text);
    else localStorage.removeItem(key);
    unsaved.delete(key);
    return true;
  } catch {
    unsaved.set(key, text);
    return !text;
  }
}

export class Composer {
  #typingEmittedAt = -Infinity;

  /**
   * Takes over the form of the conversation in `section`. A message goes to `outbox`, and `onAdded()` is called when it
   * is there. `onTyping()` is called while somebody writes, at most once in 3 s; `onOver(words)` when the text has
   * become too long; `onStorageFailed()` when the browser does not store the draft.
   */
  constructor(section, { outbox, onAdded, onTyping, onOver, onStorageFailed, signal }) {
    Object.assign(this, { outbox, onAdded, onTyping, onOver, onStorageFailed });
    this.peerId = Number(section.dataset.peerId);
    this.form = find('#composer', section);
    this.field = find('#message', section);
    this.counter = find('#counter', section);
    this.button = find('#send', section);
    this.draftKey = `draft:${me.id}:${this.peerId}`;
    this.form.addEventListener('submit', (event) => this.#submitted(event), { signal });
    this.field.addEventListener('keydown', (event) => this.#pressed(event), { signal });
    this.field.addEventListener('input', () => this.#changed(), { signal });
    addEventListener('storage', (event) => this.#changedElsewhere(event), { signal });
    // The server gives a text back that it could not take from the form.
    if (!this.field.value) this.field.value = readDraft(this.draftKey);
    this.#fit();
  }

  focus() {
    this.field.focus({ preventScroll: true });
  }

  /** Adds a text below what stands in the field. */
  append(text) {
    this.field.value = [this.field.value, text].filter(Boolean).join('\n');
    this.#changed();
  }

  #pressed(event) {
    if (event.key !== 'Enter' || isComposing(event)) return;
    const isAsked = event.ctrlKey || event.metaKey; // a tablet may have a keyboard
    if (!isAsked && (event.shiftKey || onTouch())) return;
    event.preventDefault();
    if (!event.repeat) this.form.requestSubmit();
  }

  async #submitted(event) {
    event.preventDefault();
    const draft = this.field.value;
    const text = trimmed(draft);
    this.focus();
    if (BLANK.test(text) || lengthOf(text) > LIMIT) return;
    this.field.value = '';
    this.#typingEmittedAt = -Infinity;
    this.#fit();
    const stored = this.outbox.add(this.peerId, text);
    this.onAdded();
    await stored;
    // What another tab has made of it meanwhile is not sent.
    if (this.field.value || readDraft(this.draftKey) === draft) this.#keepDraft();
  }

  /** The draft was written on or sent in another tab: a field that nobody has touched since shows what became of it. */
  #changedElsewhere({ key, oldValue, newValue }) {
    if (key !== this.draftKey || this.field.value !== (oldValue ?? '')) return;
    this.field.value = newValue ?? '';
    this.#fit();
  }

  #changed() {
    this.#keepDraft();
    this.#fit();
    const now = performance.now();
    if (BLANK.test(this.field.value) || now - this.#typingEmittedAt < TYPING_PAUSE_MS) return;
    this.#typingEmittedAt = now;
    this.onTyping();
  }

  #keepDraft() {
    if (!keepDraft(this.draftKey, this.field.value)) this.onStorageFailed();
  }

  /** Lets the field grow with its text, up to the cap of the style sheet, and counts near the limit. */
  #fit() {
    if (!GROWS_BY_ITSELF) {
      this.field.style.height = 'auto';
      this.field.style.height = `${this.field.scrollHeight + this.field.offsetHeight - this.field.clientHeight}px`;
    }
    const length = lengthOf(this.field.value.trim());
    const isOver = length > LIMIT;
    this.button.toggleAttribute('data-empty', length === 0);
    this.button.disabled = isOver;
    this.counter.hidden = length < COUNT_FROM;
    this.counter.toggleAttribute('data-over', isOver);
    if (!this.counter.hidden) setText(this.counter, words(LIMIT - length));
    if (isOver && this.field.ariaInvalid !== 'true') this.onOver(words(LIMIT - length)); // once, not with every key
    this.field.ariaInvalid = String(isOver);
  }
}

/** Characters as the server counts them: an emoji outside the first plane is one, not two. */
function lengthOf(text) {
  return [...text].length;
}

function words(left) {
  if (left < 0) return ngettext('%(num)s character over the limit', '%(num)s characters over the limit', -left);
  return ngettext('%(num)s character left', '%(num)s characters left', left);
}
