/** The field in which a message is written: its keys, its draft, its counter. */

import { addressOf, isRoom } from './address.js';
import { isBlank } from './blank.js';
import { listenForFormatting } from './composer-keys.js';
import { Draft } from './draft.js';
import { FileInput } from './file-input.js';
import { gettext } from './i18n.js';
import { isInBlock } from './in-code.js';
import { due, later } from './later.js';
import { loadConversationMore } from './load-conversation-more.js';
import { find, isComposing, onTouch } from './page.js';
import { trimmed } from './text.js';

const MAX_LENGTH = 4_000; // code points, as the server counts them
const COUNTER_FROM = 3_800; // code points
const TYPING_PAUSE_MS = 3_000;
const GROWS_BY_ITSELF = CSS.supports('field-sizing', 'content');

const loadMessageChanges = later(() => import('./message-changes.js'));
const loadCompletion = later(() => import('./completion.js'));
const loadEmojiPicker = later(() => import('./composer-emoji.js'));

due.then(loadEmojiPicker).then(({ preloadEmoji }) => preloadEmoji(), () => {});

export class Composer {
  earlierDraft = ''; // the stored draft, where the field had another text at the start
  task = null; // a ComposerTask, while a message is edited or answered
  storing = 0; // messages that wait for their files or are being stored: until then the stored draft still has them
  #unsent = []; // the texts {draft} of those that wait for their files
  #typingEmittedAt = -Infinity;
  #completion = null; // a promise of the Completion, once there is something to complete

  /**
   * Takes over the form of the conversation in `section`, whose key (address.js) is `key`. Messages go to `outbox`. `on` holds callbacks:
   * `added()`: a message is in the outbox. `editLast()`: one's own last message is to be edited. `typing()`: somebody writes; at most once
   * in 3 s. `say(words)`: a screen reader is to be told something. `storageFailed()`: the browser does not store the draft.
   */
  constructor(section, { key, outbox, on, signal }) {
    Object.assign(this, { key, outbox, on, signal });
    this.form = find('#composer', section);
    this.field = find('#message', section);
    this.counter = find('#counter', section);
    this.button = find('#send', section);
    this.draft = new Draft(key);
    this.form.addEventListener('submit', (event) => this.#submitted(event), { signal });
    this.field.addEventListener('keydown', (event) => this.#pressed(event), { signal });
    this.field.addEventListener('input', () => this.#changed(), { signal });
    listenForFormatting(this.field, signal);
    find('#emoji-button', section).addEventListener('click', (event) => this.#pickEmoji(event.currentTarget), { signal });
    this.#adoptText();
    this.files = new FileInput(this, section, signal);
    this.#fit();
    this.#followTabs();
    this.#adoptReply();
  }

  /** Other tabs change the draft too, or send it: what follows them is loaded when it is due, or when one has. */
  async #followTabs() {
    const { signal, draft } = this;
    const isChanged = new Promise((resolve) => addEventListener('storage', ({ key }) => key === draft.key && resolve(), { signal }));
    const more = await Promise.race([due, isChanged]).then(loadConversationMore).catch(() => null);
    if (more && !signal.aborted) new more.DraftSync(this, signal);
  }

  /** The field has a text already if it was written before this came, or if the form was sent without JavaScript and refused. */
  #adoptText() {
    const { text } = this.draft;
    if (!this.field.value) this.field.value = text;
    else {
      this.earlierDraft = text; // DraftSync offers it where it is not in the field
      this.saveDraft();
    }
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

  #submitted(event) {
    event.preventDefault();
    this.focus();
    const { task, field: { value: draft } } = this;
    const text = isBlank(draft) ? '' : trimmed(draft); // of blanks alone it would be an empty bubble: the server refuses it
    if ((!text && !this.#hasFiles) || lengthOf(text) > MAX_LENGTH) return;
    this.#typingEmittedAt = -Infinity;
    if (!task?.isEdit) return void this.#send(draft, text);
    task.end();
    task.submit(text);
  }

  /** Sends what stood in the field, once its files have come. What is typed meanwhile is for the next message. */
  async #send(draft, text) {
    const { task } = this;
    const unsent = { draft };
    this.#unsent.push(unsent);
    this.show('');
    this.storing += 1;
    const areFilesReady = !this.files.isArriving || (await this.files.mayGo(text)); // files that were chosen before Enter belong to this message
    if (this.signal.aborted) return; // the stored draft still has the text
    const wasTakenBack = !this.#unsent.includes(unsent); // another one was not sent, and all waiting texts went back into the field
    if (!wasTakenBack && areFilesReady && (text || this.files.count)) {
      this.#unsent = this.#unsent.filter((one) => one !== unsent);
      if (this.task === task) task?.end();
      const stored = this.outbox.add(this.key, text, task?.replyTo, this.files.take());
      this.on.added();
      await stored;
      // The stored draft is the text that was sent, unless another tab has changed it meanwhile: then that one stays.
      if (this.draftText || this.draft.text === draft) this.saveDraft();
    } else if (!wasTakenBack) {
      this.#takeUnsentBack();
    }
    this.storing -= 1;
  }

  /** Puts what was not sent back into the field, before what was typed since. */
  #takeUnsentBack() {
    const text = this.draftText;
    this.#unsent = [];
    this.takeDraft(text, () => this.show(text));
    this.saveDraft();
  }

  /** Whether the message has files, and needs no text. */
  get #hasFiles() {
    return (this.task?.isEdit ? this.task.message.files?.length : this.files.count) > 0;
  }

  /** The draft: what waits for its files, and what is in the field. The text of an edit is none, for its message may be deleted. */
  get draftText() {
    return [...this.#unsent.map(({ draft }) => draft), this.task?.setAside ?? this.field.value].filter(Boolean).join('\n');
  }

  /** Another tab has changed the draft, or sent it: `show(field, text)` shows it in the field. */
  takeDraft(text, show) {
    if (this.task?.isEdit) this.task.setAside = text;
    else show(this.field, text);
    this.#fit();
  }

  #changed() {
    this.saveDraft();
    this.#fit();
    if (this.field.value.includes(':') || (isRoom(this.key) && this.field.value.includes('@'))) this.#complete();
    const now = performance.now();
    if (isBlank(this.field.value) || now - this.#typingEmittedAt < TYPING_PAUSE_MS) return;
    this.#typingEmittedAt = now;
    this.on.typing();
  }

  /** Where the module does not come, the next key asks for it again. */
  async #complete() {
    this.#completion ??= loadCompletion().then(({ Completion, EmojiNames, Mentions }) => {
      this.mentions = isRoom(this.key) ? new Mentions(addressOf(this.key).conversationId, this.signal) : null;
      const sources = [...(this.mentions ? [this.mentions] : []), new EmojiNames()];
      return new Completion(this.form, this.field, sources, this.signal);
    }).catch(() => { this.#completion = null; });
  }

  /** The members of the room have changed. */
  membersChanged() {
    this.mentions?.forget();
  }

  async #pickEmoji(button) {
    const module = await loadEmojiPicker().catch(() => null);
    if (module) module.toggleEmojiPicker(button, this.field);
    else this.on.say(gettext('The emoji could not be loaded.'));
  }

  saveDraft() {
    if (!this.draft.save(this.draftText)) this.on.storageFailed();
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
    this.button.toggleAttribute('data-empty', length === 0 && !this.#hasFiles);
    this.button.disabled = isOver;
    this.field.ariaInvalid = String(isOver);
    if (length >= COUNTER_FROM || !this.counter.hidden) loadConversationMore().then(({ showRoom }) => showRoom(this.field, this.counter, this.on.say), () => {});
  }
}

/** The length in code points, as the server counts. How that is said: composer-counter.js. */
function lengthOf(text) {
  return [...text].length;
}
