/** The toolbar beside the message under the pointer, or that has the focus: React, Reply, Edit and More. */

import { keepAllowed } from './allowed-actions.js';
import { moveByArrow } from './arrow-keys.js';
import { find, fromTemplate, part } from './page.js';

const HOVER_MS = 80;
const TOOL = '.tool';

export class MessageToolbar {
  #row = null;
  #element = null;
  #timer;
  #pointer = {}; // where it was last seen: {x, y}

  constructor(actions) {
    this.actions = actions;
    const { list, signal } = actions;
    list.addEventListener('pointerover', (event) => this.notice(event), { signal, passive: true });
    list.addEventListener('pointermove', (event) => this.#hasMoved(event), { signal, passive: true });
    list.addEventListener('pointerleave', () => this.#leave(), { signal, passive: true });
    list.addEventListener('focusin', (event) => this.notice(event), { signal });
    list.addEventListener('focusout', (event) => this.#lostFocus(event), { signal });
    list.addEventListener('click', (event) => this.#clicked(event), { signal });
    list.addEventListener('keydown', (event) => this.#pressed(event), { signal });
  }

  /** Takes a gesture: the pointer of a mouse over a message, or the focus in it. */
  notice(event) {
    const { type, target, pointerType } = event;
    const isHover = type === 'pointerover' && pointerType === 'mouse' && this.#hasMoved(event);
    const row = target.closest('li.message');
    if (type === 'focusin' && row && row !== this.#row && target.matches(':focus-visible')) this.#show(row);
    if (!isHover || !row) return;
    clearTimeout(this.#timer);
    if (row !== this.#row) this.#timer = setTimeout(() => this.#hovered(row), HOVER_MS);
  }

  /** Whether it was the pointer that moved, and not the messages under it. */
  #hasMoved({ clientX, clientY }) {
    const { x, y } = this.#pointer;
    this.#pointer = { x: clientX, y: clientY };
    return x !== clientX || y !== clientY;
  }

  #hovered(row) {
    if (!row.isConnected || this.actions.menu.isOpen) return;
    if (this.#element?.contains(document.activeElement)) part(this.#row, 'details').focus({ preventScroll: true });
    this.#show(row);
  }

  #show(row) {
    this.hide();
    this.#row = row;
    this.#element = fromTemplate('toolbar-template');
    keepAllowed(this.#element, new Set([...this.actions.allowed(row), 'more']));
    find(TOOL, this.#element).tabIndex = 0;
    find('article', row).append(this.#element);
  }

  hide() {
    clearTimeout(this.#timer);
    this.#element?.remove();
    this.#row = this.#element = null;
  }

  #leave() {
    clearTimeout(this.#timer);
    if (!this.actions.menu.isOpen && !find(':focus-visible', this.#row ?? this.actions.list)) this.hide();
  }

  #lostFocus({ relatedTarget }) {
    if (relatedTarget && !this.#row?.contains(relatedTarget) && !this.#row?.matches(':hover') && !this.actions.menu.isOpen) this.hide();
  }

  #clicked({ target }) {
    const tool = target.closest(TOOL);
    if (!tool) return;
    const { action } = tool.dataset;
    const row = this.#row;
    if (action !== 'more' && !this.actions.allowed(row).has(action)) return this.hide(); // it was deleted meanwhile
    if (action === 'more') this.actions.menu.openActions(row, tool);
    else if (action === 'react') this.actions.menu.openReactions(row, tool);
    else this.actions.perform(action, row);
  }

  #pressed(event) {
    if (!event.target.closest('.tools')) return;
    if (event.key === 'Escape') part(this.#row, 'details').focus({ preventScroll: true });
    else if (!moveByArrow(event, this.#element, TOOL)) return;
    event.preventDefault();
    event.stopPropagation();
  }
}
