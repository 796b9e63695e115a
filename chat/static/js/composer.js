/** The field in which a message is written: its keys, its draft, its counter. */

import { addressOf, isRoom } from './address.js';
import { isInBlock, listenForFormatting } from './composer-keys.js';
import { FileInput } from './file-input.js';
import { ngettext } from './i18n.js';
import { find, isComposing, me, onTouch, setText } from './page.js';
import { trimmed } from './text.js';

const MAX_LENGTH = 4_000; // characters, as the server counts them
const COUNTER_FROM = 3_800; // characters
const TYPING_PAUSE_MS = 3_000;
// A text of invisible characters only would be an empty bubble. The server refuses it: the same ones as in chat/accounts/characters.py.
const BLANK =
  /^[\p{Cc}\p{Cf}\p{Z}\p{Default_Ignorable_Code_Point}\u2800\uFFFC\u{13441}\u{13442}\u{16FE4}\u{1D159}]*$/u;
const GROWS_BY_ITSELF = CSS.supports('field-sizing', 'content');

const loadMessageChanges = () => import('./message-changes.js');
const loadMentionCompletion = () => import('./mention-completion.js');

const unsaved = new Map(); // draft key → text, where the browser's storage is closed or full: it ends with the page

function readDraft(key) {
  try {
    return unsaved.get(key) ?? localStorage.getItem(key) ?? '';
  } catch {
    return '';
  }
}

/** Returns false if the browser does not store the draft. */
function saveDraft(key, text) {
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
  task = null; // a ComposerTask, while a message is edited or answered
  #typingEmittedAt = -Infinity;
  #mentions = null; // a promise of the MentionCompletion, once there is an `@`

  /**
   * Takes over the form of the conversation in `section`, whose key (address.js) is `key`. A message goes to `outbox`. `on` holds
   * the callbacks `added()` when it is there, `editLast()` to take one's own last message back into the field, `typing()` while somebody writes, at most once in 3 s, `say(words)` as when the text has become too long, and
   * `storageFailed()` when the browser does not store the draft.
   */
  constructor(section, { key, outbox, on, signal }) {
    Object.assign(this, { key, outbox, on, signal });
    this.form = find('#composer', section);
    this.field = find('#message', section);
    this.counter = find('#counter', section);
    this.button = find('#send', section);
    this.draftKey = `draft:${me.id}:${key}`;
    this.form.addEventListener('submit', (event) => this.#submitted(event), { signal });
    this.field.addEventListener('keydown', (event) => this.#pressed(event), { signal });
    this.field.addEventListener('input', () => this.#changed(), { signal });
    listenForFormatting(this.field, signal);
    addEventListener('storage', (event) => this.#changedElsewhere(event), { signal });
    // The field has a text already if the form was sent without JavaScript and refused.
    if (!this.field.value) this.field.value = readDraft(this.draftKey);
    this.files = new FileInput(this, section, signal);
    this.#fit();
    this.#adoptReply();
  }

  /** A page without JavaScript has begun an answer with its address. */
  async #adoptReply() {
    const seq = Number(this.form.elements.replyTo?.value);
    const card = find('.composer-card', this.form.parentElement);
    if (!seq || !card) return;
    const { ComposerTask } = await loadMessageChanges();
    new ComposerTask(this, { kind: 'reply', message: { seq }, card });
  }

  focus() {
    this.field.focus({ preventScroll: true });
  }

  /** Adds a text below what stands in the field. */
  append(text) {
    this.field.value = [this.field.value, text].filter(Boolean).join('\n');
    this.#changed();
  }

  /** Takes the text and the files of an entry of the outbox back, to be sent in another form. */
  async takeBack({ message, files = [] }, outbox) {
    if (message) this.append(message);
    const contents = await Promise.all(files.map(({ clientId }) => outbox.blobOf(clientId)));
    await this.files.add(files.flatMap(({ clientId, ...file }, index) => (contents[index] ? [{ ...file, blob: contents[index] }] : [])));
  }

  /** Sends files alone, as a recording. */
  sendFiles(attached) {
    this.outbox.add(this.key, '', this.#replyTo(), attached);
    this.on.added();
  }

  #replyTo() {
    const { task } = this;
    if (task?.isEdit) return null;
    task?.end();
    return task?.replyTo;
  }

  /** Shows a text in the field in place of the one that is there. */
  show(text) {
    this.field.value = text;
    this.#fit();
  }

  #pressed(event) {
    if (isComposing(event)) return;
    const hasModifier = event.altKey || event.ctrlKey || event.metaKey || event.shiftKey;
    if (event.key === 'ArrowUp' && !hasModifier && !this.field.value && !this.task && this.on.editLast()) event.preventDefault();
    if (event.key !== 'Enter') return;
    const isForced = event.ctrlKey || event.metaKey; // sends on a tablet with a keyboard too
    if (!isForced && (event.shiftKey || onTouch() || isInBlock(this.field))) return; // a new line
    event.preventDefault();
    if (!event.repeat) this.form.requestSubmit();
  }

  async #submitted(event) {
    event.preventDefault();
    const draft = this.field.value;
    const text = trimmed(draft);
    this.focus();
    const { task } = this;
    const isBlank = BLANK.test(text);
    if ((isBlank && (task?.isEdit || !this.files.count)) || lengthOf(text) > MAX_LENGTH) return;
    this.#typingEmittedAt = -Infinity;
    task?.end();
    if (task?.isEdit) return task.submit(text);
    this.show('');
    const stored = this.outbox.add(this.key, isBlank ? '' : text, task?.replyTo, this.files.take());
    this.on.added();
    await stored;
    // The stored draft is the text that was sent, unless another tab has changed it meanwhile: then that one stays.
    if (this.#draft || readDraft(this.draftKey) === draft) this.#saveDraft();
  }

  /** Another tab has changed the draft, or sent it. The field shows the same, unless it shows something else already. */
  #changedElsewhere({ key, oldValue, newValue }) {
    if (key !== this.draftKey || this.#draft !== (oldValue ?? '')) return;
    if (this.task?.isEdit) this.task.setAside = newValue ?? '';
    else this.show(newValue ?? '');
  }

  /** What is stored as the draft: the text of an edit is not, for its message may be deleted. */
  get #draft() {
    return this.task?.setAside ?? this.field.value;
  }

  #changed() {
    this.#saveDraft();
    this.#fit();
    if (isRoom(this.key) && this.field.value.includes('@')) this.#completeMentions();
    const now = performance.now();
    if (BLANK.test(this.field.value) || now - this.#typingEmittedAt < TYPING_PAUSE_MS) return;
    this.#typingEmittedAt = now;
    this.on.typing();
  }

  /** Where the module does not come, the next key asks for it again. */
  async #completeMentions() {
    const make = ({ MentionCompletion }) => new MentionCompletion(this.form, this.field, addressOf(this.key).conversationId, this.signal);
    this.#mentions ??= loadMentionCompletion().then(make).catch(() => { this.#mentions = null; });
  }

  /** The members of the room have changed. */
  async membersChanged() {
    (await this.#mentions)?.forgetMembers();
  }

  #saveDraft() {
    if (!saveDraft(this.draftKey, this.#draft)) this.on.storageFailed();
  }

  /** Files were added or removed. */
  filesChanged() {
    this.#fit();
  }

  /** Fits the field to its text, up to the maximum of the style sheet, and counts characters near the limit. */
  #fit() {
    if (!GROWS_BY_ITSELF) {
      this.field.style.height = 'auto';
      this.field.style.height = `${this.field.scrollHeight + this.field.offsetHeight - this.field.clientHeight}px`;
    }
    const length = lengthOf(this.field.value.trim());
    const isOver = length > MAX_LENGTH;
    this.button.toggleAttribute('data-empty', length === 0 && !this.files.count);
    this.button.disabled = isOver;
    this.counter.hidden = length < COUNTER_FROM;
    this.counter.toggleAttribute('data-over', isOver);
    if (!this.counter.hidden) setText(this.counter, words(MAX_LENGTH - length));
    if (isOver && this.field.ariaInvalid !== 'true') this.on.say(words(MAX_LENGTH - length)); // once, not with every key
    this.field.ariaInvalid = String(isOver);
  }
}

/** The length in code points, as the server counts: most emoji are one, where `length` counts two. */
function lengthOf(text) {
  return [...text].length;
}

function words(left) {
  if (left < 0) return ngettext('%(num)s character over the limit', '%(num)s characters over the limit', -left);
  return ngettext('%(num)s character left', '%(num)s characters left', left);
}
