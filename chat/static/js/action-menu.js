/** The menu of a message, its six reactions and the picker: panels beside the toolbar, the chip or the time that opened them. */

import { keepAllowed } from './allowed-actions.js';
import { moveByArrow } from './arrow-keys.js';
import { askToDelete } from './confirm-delete.js';
import { loadLaterStyles } from './later-styles.js';
import { find, fromTemplate, part } from './page.js';
import { openPopover } from './popover.js';
import { makeQuickReactions } from './quick-reactions.js';

const IN_TOOLBAR = ['react', 'reply', 'edit']; // what the toolbar has is not in the menu beside it
const ITEM = '[role="menuitem"]';

export class ActionMenu {
  #open = null; // what popover.js returns
  #anchor = null; // of what is open, or was

  constructor(actions) {
    this.actions = actions;
  }

  get isOpen() {
    return Boolean(this.#open);
  }

  close() {
    this.#open?.close();
  }

  /** Opens the menu of a message beside `anchor`, or closes what is open there; `isWhole`: with what the toolbar has. */
  async openActions(row, anchor, { isWhole = false } = {}) {
    if (this.#closes(anchor)) return;
    await loadLaterStyles();
    const menu = fromTemplate('actions-template');
    const allowed = this.actions.allowed(row);
    keepAllowed(menu, isWhole ? allowed : new Set([...allowed].filter((name) => !IN_TOOLBAR.includes(name))));
    this.#show(menu, row, anchor);
    menu.addEventListener('click', ({ target }) => this.#chosen(target.closest(ITEM)?.dataset.action, menu, row, anchor));
    menu.addEventListener('keydown', (event) => {
      if (event.key === 'Tab') this.close();
      else moveByArrow(event, menu, ITEM, { isVertical: true });
    });
    find(ITEM, menu).focus();
  }

  /** Opens the six reactions of a message beside `anchor`, or closes what is open there. */
  async openReactions(row, anchor) {
    if (this.#closes(anchor)) return;
    await loadLaterStyles();
    const bar = makeQuickReactions(row, {
      onPick: (emoji) => this.#react(row, emoji),
      onMore: () => this.actions.loadPicker((makePicker) => this.#showPicker(makePicker, bar, row)),
    });
    this.#show(bar, row, anchor, bar.ariaLabel);
    find('.quick', bar).focus();
  }

  /** A second press closes what the first has opened. Returns whether it was one. */
  #closes(anchor) {
    const isSecond = this.isOpen && this.#anchor === anchor;
    if (isSecond) this.close();
    return isSecond;
  }

  #show(content, row, anchor, label) {
    this.close();
    this.#anchor = anchor;
    anchor.ariaExpanded = 'true';
    // A toolbar that has gone meanwhile cannot take the focus back: the time of the message does.
    const returnTo = { get isConnected() { return true; }, focus: (options) => (anchor.isConnected ? anchor : part(row, 'details')).focus(options) };
    const opened = openPopover(content, anchor, {
      label, returnTo,
      onClosed: () => {
        anchor.ariaExpanded = 'false';
        if (this.#open === opened) this.#open = null;
      },
    });
    this.#open = opened;
  }

  #showPicker(makePicker, bar, row) {
    if (!bar.isConnected) return; // closed meanwhile
    const picker = makePicker((emoji) => this.#react(row, emoji));
    bar.replaceWith(picker);
    this.#open.place();
    find('input', picker).focus();
  }

  #react(row, emoji) {
    this.close();
    this.actions.toggle(row, emoji);
  }

  #chosen(action, menu, row, anchor) {
    if (!action) return;
    if (action === 'delete') return this.#ask(menu, row);
    this.close();
    if (action === 'react') this.openReactions(row, anchor);
    else this.actions.perform(action, row);
  }

  #ask(menu, row) {
    menu.replaceWith(askToDelete({ onConfirm: () => this.actions.perform('confirm-delete', row), onEnd: () => this.close() }));
    this.#open.place();
    find('.popover [data-action="cancel"]').focus();
  }
}
