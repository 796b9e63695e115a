/** Where files come in: the button, a drop on the conversation, the clipboard. What shows and checks them (attachments.js) is loaded later. */

import { showNotice } from './banner.js';
import { loadFiles } from './files.js';
import { gettext } from './i18n.js';
import { loadLaterStyles } from './later-styles.js';
import { find } from './page.js';

const MODULE_WAIT_MS = 5_000; // that a message waits for what attaches its files

const loadVoice = () => import('./voice.js');

/** Key of a conversation → the files that were chosen in it and not sent when another one was opened. They come back with it. */
const setAside = new Map();

export class FileInput {
  #attachments = null; // the Attachments, once their module has come
  #loading = null; // a promise of them
  #arriving = []; // files that were chosen before that: they have no card yet
  #cards = null; // a promise that these have got their cards, while it is open
  #isToldLate = false; // the person knows that these files cannot be attached yet
  #isOwnDrag = false; // an image of this page is dragged: a browser says that it is a file

  /** Listens in the conversation `section`, whose Composer gets the files. */
  constructor(composer, section, signal) {
    Object.assign(this, { composer, section, signal });
    const input = find('#attach-input', section);
    const listen = (target, type, listener) => target.addEventListener(type, listener, { signal });
    listen(find('#attach', section), 'click', () => input.click());
    listen(input, 'change', () => this.#addChosen(input));
    listen(document, 'dragstart', () => { this.#isOwnDrag = true; });
    listen(document, 'dragend', () => { this.#isOwnDrag = false; });
    listen(section, 'dragenter', (event) => this.#brings(event) && this.#load().then((attachments) => attachments?.showDropArea()));
    listen(section, 'dragover', (event) => this.#brings(event) && event.preventDefault());
    listen(section, 'drop', (event) => this.#dropped(event));
    listen(composer.field, 'paste', (event) => this.#pasted(event));
    this.#initVoice(find('#voice', section));
    this.#addChosen(input); // chosen before this came
    this.add(setAside.get(composer.key) ?? []);
    signal.addEventListener('abort', () => setAside.set(composer.key, [...this.take(), ...this.#arriving.splice(0)]));
  }

  async #addChosen(input) {
    if (!input.files.length) return;
    await this.#addFiles([...input.files]);
    input.value = ''; // the same file may be chosen again
  }

  /** How many files are to be sent. */
  get count() {
    return (this.#attachments?.count ?? 0) + this.#arriving.length;
  }

  /** Returns the files for the outbox, and shows them no more. */
  take() {
    return this.#attachments?.take() ?? [];
  }

  /** Adds files `{name, type, size, blob, …}`. */
  async add(files) {
    this.#arriving.push(...files);
    if (files.length) this.#isToldLate = false;
    if (this.isArriving) await this.arrived();
  }

  /** Whether files were chosen that have no card yet. */
  get isArriving() {
    return Boolean(this.#cards) || this.#arriving.length > 0;
  }

  /** Asks for the cards of these files, and waits for them a while. Resolves to whether all are there. The next call asks again. */
  async arrived() {
    this.#cards ??= this.#load().then(async (attachments) => {
      this.#cards = null;
      if (attachments && this.#arriving.length) await attachments.add(this.#arriving.splice(0)); // else they were set aside, or wait
    });
    await Promise.race([this.#cards, new Promise((resolve) => { setTimeout(resolve, MODULE_WAIT_MS); })]);
    return !this.#arriving.length;
  }

  /**
   * Resolves to whether a message with this text may be sent: its files are there, or its person has been told that they are not and
   * tries again. Then they stay here for the next message, and that is said.
   */
  async mayGo(text) {
    const isSecondTry = this.#isToldLate;
    if ((await this.arrived()) || this.signal.aborted) return true;
    if (!text) {
      showNotice(gettext('The server did not answer. Please try again.'));
      return false;
    }
    this.#isToldLate = true;
    showNotice(isSecondTry ? gettext('The text was sent without the files. They wait here for the next message.')
      : gettext('The files cannot be attached yet. Send again to send the text without them.'));
    return isSecondTry;
  }

  #addFiles(files, folderNames) {
    return this.add(files.map((blob) => ({ name: blob.name, type: blob.type, size: blob.size, blob, isFolder: folderNames?.has(blob.name) })));
  }

  /** Resolves to the Attachments, or to undefined where their module does not come. */
  #load() {
    const make = ([{ Attachments }]) => (this.#attachments ??= new Attachments(this.composer, this.section, this.signal));
    this.#loading ??= Promise.all([loadFiles(), loadLaterStyles()]).then(make).catch(() => {
      this.#loading = null;
      showNotice(gettext('The server did not answer. Please try again.'));
    });
    return this.#loading;
  }

  #brings({ dataTransfer }) {
    return !this.#isOwnDrag && Boolean(dataTransfer?.types.includes('Files'));
  }

  #dropped(event) {
    if (!this.#brings(event)) return;
    event.preventDefault();
    this.#attachments?.hideDropArea();
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.());
    const folders = entries.filter((entry) => entry?.isDirectory).map(({ name }) => name);
    this.#addFiles([...event.dataTransfer.files], new Set(folders));
  }

  /** A text is pasted as one, even if the clipboard has a picture of it too, as that of a spreadsheet. */
  #pasted(event) {
    const { files, types } = event.clipboardData;
    if (!files.length || types.includes('text/plain')) return;
    event.preventDefault();
    this.#addFiles([...files]);
  }

  #initVoice(button) {
    if (!globalThis.MediaRecorder || !navigator.mediaDevices) return;
    button.hidden = false;
    button.addEventListener('click', () => loadVoice().then(({ record }) => record(this.composer, button),
      () => showNotice(gettext('The server did not answer. Please try again.'))), { signal: this.signal });
  }
}
