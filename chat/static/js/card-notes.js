/**
 * What only this browser knows of a conversation stands on its card in place of the last message: what was not sent, else a draft.
 * Loaded later (page-more.js).
 */

import { keyOf } from './address.js';
import { draftNames, keyOfDraft } from './draft-names.js';
import { gettext } from './i18n.js';
import { loadLaterStyles } from './later-styles.js';
import { fromTemplate, part, setText } from './page.js';
import { shortWords } from './text.js';

const SHOW_MS = 100; // the list is looked at once for all that happens meanwhile

export class CardNotes {
  #timer = null;
  #noted = new Set(); // keys of conversations whose card has a note

  /** `openKey()` returns the key of the open conversation: its draft is in the field. */
  constructor(lists, outbox, openKey) {
    Object.assign(this, { lists, outbox, openKey });
    const watching = new MutationObserver(() => this.showSoon());
    watching.observe(lists.pane, { subtree: true, childList: true, attributeFilter: ['aria-current'] });
    addEventListener('storage', () => this.showSoon()); // another tab has a draft
    this.showSoon();
  }

  /** Something has changed that a card may tell. */
  showSoon() {
    this.#timer ??= setTimeout(() => this.#show(), SHOW_MS);
  }

  async #show() {
    this.#timer = null;
    const notes = this.#notes();
    if (notes.size) await loadLaterStyles();
    for (const key of new Set([...this.#noted, ...notes.keys()])) showNote(this.lists.card(key), notes.get(key));
    this.#noted = new Set(notes.keys());
  }

  #notes() {
    const notes = new Map();
    for (const name of draftNames()) {
      const message = shortWords({ message: localStorage.getItem(name) ?? '' });
      if (message && keyOfDraft(name) !== this.openKey()) notes.set(keyOfDraft(name), { kind: 'draft', words: gettext('Draft: %(message)s', { message }) });
    }
    for (const entry of this.outbox.failed) {
      notes.set(keyOf(entry), { kind: 'failed', words: gettext('Not sent: %(message)s', { message: shortWords(entry) }) });
    }
    return notes;
  }
}

function showNote(card, note) {
  if (!card) return;
  if (!note) {
    part(card, 'note')?.remove();
    delete card.dataset.note;
    return;
  }
  if (!part(card, 'note')) part(card, 'preview').before(fromTemplate('card-note-template'));
  card.dataset.note = note.kind;
  setText(part(card, 'note-text'), note.words);
}
