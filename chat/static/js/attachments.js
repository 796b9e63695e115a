/** The files that are about to be sent, as cards above the field. A card has a preview and a description. Below them stands why a file is refused. */

import { MAX_DESCRIPTION, fitting } from './description.js';
import { sizeWords } from './file-size.js';
import { isImage, kindWords } from './file-words.js';
import { request } from './http.js';
import { gettext, ngettext } from './i18n.js';
import { newClientId } from './outbox.js';
import { find, fromTemplate, isComposing, onTouch, part, setText } from './page.js';
import { stillOf } from './still.js';

const MAX_FILES = 10; // of a message
const NEARLY = 0.8; // of a quota: from then on it is said what is left
const MEASURING_MS = 300; // that a message waits for the sizes of its images: the server measures them too
const HIDE_MS = 200; // after the last sign of a drag over the page

export class Attachments {
  #cards = new Map(); // clientId → {file, card, url}: `url` is that of the preview
  #quota = null; // the answer of /files/quota; null while it is not known
  #asking = null; // a promise of it
  #previews = []; // promises: the images that were added last are measured and shown
  #timer; // of the place to drop files

  constructor(composer, section, signal) {
    Object.assign(this, { composer, section, signal });
    this.box = fromTemplate('attachments-template');
    this.list = find('.attached', this.box);
    this.words = part(this.box, 'attach-words');
    this.list.addEventListener('click', (event) => this.#clicked(event));
    this.list.addEventListener('input', ({ target }) => this.#described(target));
    this.list.addEventListener('keydown', (event) => event.target.matches('input') && event.key === 'Enter' && !isComposing(event) && this.#leaveDescription(event));
  }

  get count() {
    return this.#cards.size;
  }

  /**
   * Adds files `{name, type, size, blob, alt?, isFolder?}` to what is to be sent, at once. What cannot be sent is left out, and that is said.
   * Resolves when the images among them are measured, or after a short while.
   */
  add(files) {
    this.#previews = [];
    const refusals = files.map((file) => this.#refusalOf(file) ?? this.#show({ ...file, clientId: newClientId() }));
    this.#tell(refusals);
    if (!onTouch()) this.composer.focus(); // there it would open the keyboard
    if (!this.#asking) this.#fetchQuota();
    return Promise.race([Promise.all(this.#previews), new Promise((resolve) => { setTimeout(resolve, MEASURING_MS); })]);
  }

  /** Asks what may be uploaded, and leaves out what does not fit. Files that were sent before the answer are refused by the server. */
  async #fetchQuota() {
    const asking = request('/files/quota', 'application/json', this.signal).then((answer) => answer.json()).catch(() => null);
    this.#asking = asking;
    const quota = await asking;
    if (asking !== this.#asking) return; // the files were sent meanwhile
    if (!quota) this.#asking = null; // the next file asks again
    this.#quota = quota;
    const entries = [...this.#cards];
    this.#cards.clear();
    const refusals = entries.map(([clientId, entry]) => {
      const refusal = this.#refusalOf(entry.file);
      this.#cards.set(clientId, entry);
      if (refusal) this.#drop(clientId);
      return refusal;
    });
    this.#tell(refusals, this.words.hasAttribute('data-bad') ? [this.words.textContent] : []);
  }

  #tell(refusals, before = []) {
    this.#say([...new Set([...before, ...refusals.filter(Boolean)])].join(' '));
    this.#changed();
  }

  #refusalOf({ name, size, isFolder }) {
    const most = this.#quota?.maxFileBytes ?? Infinity;
    const left = (this.#quota?.left ?? Infinity) - this.#bytes;
    if (isFolder) return gettext('“%(name)s” is a folder. Only files can be sent.', { name });
    if (!size) return gettext('“%(name)s” is empty.', { name });
    if (this.count >= MAX_FILES) return ngettext('A message can have %(num)s file at most.', 'A message can have %(num)s files at most.', MAX_FILES);
    if (size > most) return gettext('“%(name)s” is too large: %(size)s, and a file may have %(most)s.', { name, size: sizeWords(size), most: sizeWords(most) });
    if (size > left) return gettext('“%(name)s” does not fit: you may upload %(left)s now.', { name, left: sizeWords(Math.max(0, left)) });
    return null;
  }

  get #bytes() {
    return [...this.#cards.values()].reduce((bytes, { file }) => bytes + file.size, 0);
  }

  #show(file) {
    const card = fromTemplate('attachment-template');
    card.dataset.clientId = file.clientId;
    setText(part(card, 'file-name'), file.name);
    setText(part(card, 'file-about'), `${kindWords(file)} · ${sizeWords(file.size)}`);
    find('[data-action="remove"]', card).ariaLabel = gettext('Remove %(name)s', { name: file.name });
    const isShown = isImage(file);
    find('[data-action="describe"]', card).hidden = !isShown;
    part(card, 'alt').value = file.alt ?? '';
    const entry = { file, card, url: null };
    this.#cards.set(file.clientId, entry);
    this.list.append(card);
    if (isShown) this.#previews.push(this.#preview(entry).catch(() => {}));
  }

  /** Shows an image, and learns its size: the bubble has it before anything else. */
  async #preview(entry) {
    const { file, card } = entry;
    const shown = await stillOf(file.blob);
    if (!this.#cards.has(file.clientId)) return;
    entry.url = URL.createObjectURL(shown);
    const image = Object.assign(new Image(), { src: entry.url, alt: '' });
    const isShown = await image.decode().then(() => true, () => false);
    if (!isShown || !card.isConnected) return;
    Object.assign(file, { width: image.naturalWidth, height: image.naturalHeight });
    part(card, 'thumbnail').replaceChildren(image);
  }

  #clicked({ target }) {
    const button = target.closest('[data-action]');
    if (!button) return;
    const card = button.closest('.attachment');
    if (button.dataset.action === 'remove') return this.#remove(card);
    const label = find('.alt', card);
    label.hidden = !label.hidden;
    button.ariaExpanded = String(!label.hidden);
    if (!label.hidden) part(card, 'alt').focus();
  }

  #remove(card) {
    this.#drop(card.dataset.clientId);
    this.#say('');
    this.#changed();
    this.composer.focus();
  }

  /** Shows a file no more. A focus that was in its card goes to the field. */
  #drop(clientId) {
    const { card, url } = this.#cards.get(clientId);
    const hadFocus = card.contains(document.activeElement);
    if (url) URL.revokeObjectURL(url);
    card.remove();
    this.#cards.delete(clientId);
    if (hadFocus) this.composer.focus();
  }

  #described(input) {
    const { file } = this.#cards.get(input.closest('.attachment').dataset.clientId);
    const fit = fitting(input.value, MAX_DESCRIPTION);
    if (fit !== input.value) {
      input.value = fit;
      this.#say(gettext('The description cannot be longer.'));
      this.words.dataset.isOfDescription = '';
    } else if ('isOfDescription' in this.words.dataset) {
      this.#say('');
    }
    file.alt = fit.trim();
  }

  #leaveDescription(event) {
    event.preventDefault(); // the message is sent from its own field
    this.composer.focus();
  }

  /** Shows why a file is refused. Without a refusal it shows how much of a quota is left, once most of it is used. */
  #say(refusal) {
    const before = this.words.textContent;
    const words = refusal || this.#leftWords();
    setText(this.words, words);
    this.words.toggleAttribute('data-bad', Boolean(refusal));
    delete this.words.dataset.isOfDescription;
    if (refusal) this.#showBox();
    if (words && words !== before) this.composer.on.say(words);
  }

  #leftWords() {
    if (!this.#quota || !this.count) return '';
    const { dayBytes, usedToday, allBytes, usedInAll } = this.#quota;
    const [ofDay, ofAll] = [dayBytes - usedToday - this.#bytes, allBytes - usedInAll - this.#bytes];
    const isNearly = (left, most) => left < (1 - NEARLY) * most;
    if (isNearly(ofAll, allBytes) && ofAll <= ofDay) return gettext('Your files may have %(left)s more in all.', { left: sizeWords(Math.max(0, ofAll)) });
    return isNearly(ofDay, dayBytes) ? gettext('You may upload %(left)s more today.', { left: sizeWords(Math.max(0, ofDay)) }) : '';
  }

  /** Puts the box with the cards above the field, unless it is there already: an element that is moved loses the focus. */
  #showBox() {
    if (!this.box.isConnected) this.composer.form.before(this.box);
  }

  #changed() {
    if (this.count) this.#showBox();
    else if (!this.words.hasAttribute('data-bad')) this.box.remove();
    this.composer.filesChanged();
  }

  /** Returns what is to be sent, for the outbox, and shows it no more. */
  take() {
    const files = [...this.#cards.values()].map(({ file: { isFolder, ...file } }) => (file.alt ? file : { ...file, alt: undefined }));
    [...this.#cards.keys()].forEach((clientId) => this.#drop(clientId));
    this.#quota = this.#asking = null; // the next ones are measured anew
    this.#say('');
    this.#changed();
    return files;
  }

  // Dropping

  /** Shows where files may be dropped, while they are dragged over the conversation. */
  showDropArea() {
    if (this.area) return;
    this.area = fromTemplate('drop-template');
    this.section.append(this.area);
    const ending = new AbortController();
    this.dragging = ending;
    const seen = () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.hideDropArea(), HIDE_MS); // a browser does not always say that a drag has left
    };
    addEventListener('dragover', seen, { signal: ending.signal });
    seen();
  }

  hideDropArea() {
    clearTimeout(this.#timer);
    this.dragging?.abort();
    this.area?.remove();
    this.area = null;
  }
}
