/**
 * What only this browser knows of a conversation stands on its card in place of the last message: what was not sent, else a draft.
 * What was not sent to a room that has no card, since its writer is not a member any more, stands below the rooms. Loaded later (page-more.js).
 */

import { isRoom, keyOf } from './address.js';
import { draftNames, keyOfDraft } from './draft-names.js';
import { gettext } from './i18n.js';
import { loadLaterStyles } from './later-styles.js';
import { find, findAll, fromTemplate, part, setText } from './page.js';
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
    lists.pane.addEventListener('click', ({ target }) => {
      const row = target.closest('.lost-note button')?.closest('.lost-note');
      if (!row) return;
      const next = row.nextElementSibling ?? row.previousElementSibling;
      (next ? find('button', next) : find('#search-input')).focus(); // its own button goes with it
      outbox.remove(row.dataset.clientId);
    });
    this.showSoon();
  }

  /** Something has changed that a card may tell. */
  showSoon() {
    this.#timer ??= setTimeout(() => this.#show(), SHOW_MS);
  }

  async #show() {
    this.#timer = null;
    if (this.#notes().size) await loadLaterStyles();
    const notes = this.#notes(); // as they are by now: of two that waited, the later one may be through first
    const lost = this.outbox.failed.filter((entry) => isRoom(keyOf(entry)) && entry.code === 'not_found' && !this.lists.card(keyOf(entry)));
    showLost(find('#lost-notes'), lost);
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

/** Shows the texts of entries that have no card to stand on. Those that are there already stay, and with them what is selected in them. */
function showLost(list, entries) {
  const isKnown = (row) => entries.some(({ clientId }) => clientId === row.dataset.clientId);
  findAll('.lost-note', list).filter((row) => !isKnown(row)).forEach((row) => row.remove());
  for (const entry of entries) {
    if (find(`[data-client-id="${CSS.escape(entry.clientId)}"]`, list)) continue;
    const row = fromTemplate('lost-note-template');
    row.dataset.clientId = entry.clientId;
    part(row, 'lost-text').value = entry.message || shortWords(entry);
    list.append(row);
  }
}
