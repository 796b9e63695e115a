/**
 * The sheet of a long press on touch: reactions and actions on one message, which stays lit above it. It is a modal dialog;
 * dragging it down, a tap outside, Back and Esc close it, and the focus returns to the message.
 */

import { allowedActions, keepAllowed } from './allowed-actions.js';
import { askToDelete } from './confirm-delete.js';
import { loadLaterStyles } from './later-styles.js';
import { find, findAll, fromTemplate, part } from './page.js';
import { makeQuickReactions } from './quick-reactions.js';
import { addDragDown } from './drag-down.js';

const GAP_PX = 16; // between the message and the sheet
const HEADER_GAP_PX = 8;

export class MessageSheet {
  #dialog = null;

  constructor(actions) {
    this.actions = actions;
    actions.signal.addEventListener('abort', () => this.#dialog?.close());
  }

  async open(row) {
    if (this.#dialog) return;
    this.row = row;
    const dialog = this.#dialog = fromTemplate('message-sheet-template');
    await loadLaterStyles();
    this.card = part(dialog, 'card');
    this.#fill();
    this.#listen();
    document.body.append(dialog);
    dialog.showModal();
    history.pushState({ ...history.state, isSheet: true }, ''); // Back closes the sheet, and leaves the page as it is
    this.#place();
  }

  #fill() {
    const { row, actions } = this;
    const allowed = allowedActions(row, actions.conversation.section);
    const items = fromTemplate('actions-template');
    items.removeAttribute('role'); // in a dialog they are buttons
    for (const item of findAll('.item', items)) {
      item.removeAttribute('role');
      item.removeAttribute('tabindex');
    }
    const isOpen = allowed.delete('react');
    keepAllowed(items, allowed);
    if (isOpen) {
      this.card.append(makeQuickReactions(row, {
        onPick: (emoji) => this.#end(() => actions.toggle(row, emoji)),
        onMore: () => actions.loadPicker((makePicker) => this.#showPicker(makePicker)),
      }));
    }
    this.card.append(items);
  }

  #listen() {
    const dialog = this.#dialog;
    const ended = this.ended = new AbortController();
    const { signal } = ended;
    dialog.addEventListener('close', () => this.#closed(), { signal });
    dialog.addEventListener('keydown', (event) => event.stopPropagation(), { signal }); // the keys of the page (keyboard.js) do nothing meanwhile
    dialog.addEventListener('click', ({ target }) => this.#clicked(target), { signal });
    addDragDown(this.card, () => dialog.close(), signal);
    addEventListener('popstate', () => dialog.close(), { signal });
    addEventListener('resize', () => this.#place(), { signal });
    this.#scroll.addEventListener('scroll', () => this.#light(), { signal, passive: true });
    const resizing = new ResizeObserver(() => this.#light());
    resizing.observe(this.actions.list);
    signal.addEventListener('abort', () => resizing.disconnect());
  }

  #clicked(target) {
    if (!this.card.contains(target)) return this.#dialog.close();
    const action = target.closest('.item')?.dataset.action;
    if (action === 'delete') this.#ask();
    else if (action) this.#end(() => this.actions.perform(action, this.row));
  }

  #ask() {
    const { row } = this;
    const question = askToDelete({
      onConfirm: () => this.#end(() => this.actions.perform('confirm-delete', row)),
      onEnd: () => this.#dialog?.close(),
    });
    this.#replace(question);
    find('[data-action="cancel"]', question).focus({ focusVisible: false });
  }

  #showPicker(makePicker) {
    if (!this.#dialog) return; // closed meanwhile
    const { row } = this;
    this.#replace(makePicker((emoji) => this.#end(() => this.actions.toggle(row, emoji))));
  }

  #replace(content) {
    this.card.replaceChildren(this.card.firstElementChild, content); // the grip stays
    this.#place();
  }

  /** Closes the sheet, then acts: what an action focuses keeps the focus. */
  #end(act) {
    this.#dialog.close();
    act();
  }

  #closed() {
    this.ended.abort();
    this.#dialog.remove();
    this.#dialog = null;
    this.#scroll.style.translate = '';
    if (history.state?.isSheet) history.back();
    const time = part(this.row, 'details');
    (time.isConnected ? time : this.actions.list).focus({ preventScroll: true });
  }

  // The message

  get #scroll() {
    return this.actions.conversation.messageList.scroll;
  }

  /** Brings the message into view above the sheet. The list is moved as a whole, so that it has no other place to scroll to afterwards. */
  #place() {
    const scroll = this.#scroll;
    const article = find('article', this.row);
    scroll.style.translate = '';
    const top = find('.conversation-header').getBoundingClientRect().bottom + HEADER_GAP_PX;
    const hidden = top - article.getBoundingClientRect().top;
    if (hidden > 0) scroll.scrollTop -= hidden;
    const place = article.getBoundingClientRect();
    const covered = place.bottom + GAP_PX - (innerHeight - this.card.offsetHeight);
    const shift = Math.min(Math.max(0, covered), Math.max(0, place.top - top));
    scroll.style.translate = shift ? `0 ${-shift}px` : '';
    this.#light();
  }

  /** Lights the message: a hole in the shade, of the form of its bubble. */
  #light() {
    const article = find('article', this.row);
    const { left, width, bottom, ...place } = article.getBoundingClientRect().toJSON();
    const top = Math.max(place.top, find('.conversation-header').getBoundingClientRect().bottom);
    const style = { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${Math.max(0, bottom - top)}px` };
    Object.assign(part(this.#dialog, 'spotlight').style, style, { borderRadius: getComputedStyle(article).borderRadius });
  }
}
