/**
 * Completes what is being written, in a list above the field: names of members after an `@`, emoji after a `:`. The focus stays in the field:
 * the arrow keys choose in the list, Enter, Tab or a press takes what is chosen, Escape closes it. The pattern is that of a combobox.
 *
 * What can be completed says a source: `label`, the name of its list; `find(before)`, what is being written at the end of a text, as
 * `{start, query}`, or null; `matching(query)`, who or what fits as far as it is known, each with an `id`; `isComplete(query)` and `fetchMore()`, for
 * what is not known yet; `makeOption(item)`; `textOf(item)`, what is put in place; and `foundWords(count)`.
 */

import { say } from './announcer.js';
import { replaceText } from './field-text.js';
import { loadLaterStyles } from './later-styles.js';
import { findAll, isComposing } from './page.js';

export { EmojiNames } from './emoji-names.js';
export { Mentions } from './mentions.js';

export class Completion {
  #source = null; // that of the list
  #shown = []; // the items in the list
  #active = 0; // the index of the one that is chosen
  #closedAt = -1; // the place where the list was closed: it does not open again
  #looking = null; // stands for the search under way

  /** Completes in the field of `form` what `sources` know. `signal` ends it. */
  constructor(form, field, sources, signal) {
    Object.assign(this, { field, sources });
    this.list = Object.assign(document.createElement('ul'), { id: 'completions', className: 'menu', role: 'listbox', tabIndex: 0, hidden: true });
    field.after(this.list);
    field.ariaAutoComplete = 'list';
    // Before the field's own keys: the composer would send with Enter, the page would go back with Escape.
    form.addEventListener('keydown', (event) => this.#pressed(event), { signal, capture: true });
    form.addEventListener('submit', () => this.#close(), { signal });
    field.addEventListener('input', () => this.update(), { signal });
    field.addEventListener('blur', () => this.#close(), { signal });
    document.addEventListener('selectionchange', () => !this.list.hidden && this.update(), { signal });
    this.list.addEventListener('mousedown', (event) => event.preventDefault(), { signal }); // the field keeps the focus
    this.list.addEventListener('click', ({ target }) => this.#choose(this.#options.indexOf(target.closest('[role=option]'))), { signal });
    loadLaterStyles().then(() => this.update());
  }

  get #options() {
    return findAll('[role=option]', this.list);
  }

  /**
   * What is being written before the caret, `{source, start, query}`; null if it is nothing that can be completed. Where it may be two things, it
   * is what begins later: a name of a person has blanks in it.
   */
  #written() {
    const { value, selectionStart, selectionEnd } = this.field;
    if (selectionStart !== selectionEnd) return null;
    const found = this.sources.map((source) => ({ source, ...source.find(value.slice(0, selectionStart)) }));
    return found.filter(({ start }) => start !== undefined).sort((a, b) => b.start - a.start)[0] ?? null;
  }

  /** Shows what fits what stands before the caret. What is not known yet is fetched until the list is full. */
  async update() {
    const written = this.#written();
    if (written?.start !== this.#closedAt) this.#closedAt = -1;
    if (!written || this.#closedAt >= 0) return this.#close();
    const looking = this.#looking = {};
    const { source, query } = written;
    try {
      while (!source.isComplete(query)) {
        this.#show(source, query);
        await source.fetchMore();
        if (this.#looking !== looking) return;
      }
    } catch {
      if (this.#looking !== looking) return; // without a network, what is known already can be completed
    }
    this.#show(source, query);
  }

  #show(source, query) {
    const before = this.list.hidden || source !== this.#source ? [] : this.#shown;
    this.#source = source;
    this.#shown = source.matching(query);
    const { length } = this.#shown;
    if (!length) return this.#hide();
    if (length === before.length && before.every(({ id }, index) => id === this.#shown[index].id)) return;
    this.list.ariaLabel = source.label;
    this.list.replaceChildren(...this.#shown.map((item, index) => makeOption(source.makeOption(item), index)));
    this.list.hidden = false;
    this.field.setAttribute('aria-controls', this.list.id);
    this.#activate(0);
    if (length !== before.length) say(source.foundWords(length));
  }

  #activate(index) {
    const options = this.#options;
    this.#active = (index + options.length) % options.length;
    options.forEach((option, place) => { option.ariaSelected = String(place === this.#active); });
    options[this.#active].scrollIntoView({ block: 'nearest' });
    this.field.setAttribute('aria-activedescendant', options[this.#active].id);
  }

  #pressed(event) {
    const hasModifier = event.altKey || event.ctrlKey || event.metaKey || event.shiftKey;
    if (event.target !== this.field || this.list.hidden || hasModifier || isComposing(event)) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) this.#activate(this.#active + step);
    else if (event.key === 'Enter' || event.key === 'Tab') this.#choose(this.#active);
    else if (event.key === 'Escape') this.#dismiss();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Puts an item of the list in the place of what was written of it. */
  #choose(index) {
    const written = this.#written();
    const item = this.#shown[index];
    if (!written || !item) return;
    const { selectionEnd } = this.field;
    const text = this.#source.textOf(item);
    this.#closedAt = written.start; // what was put there is not completed again
    this.#close();
    // A blank that follows already is not put a second time.
    const end = text.endsWith(' ') && this.field.value[selectionEnd] === ' ' ? selectionEnd + 1 : selectionEnd;
    replaceText(this.field, written.start, end, text);
  }

  /** Closes the list, and does not open it again where the caret is. */
  #dismiss() {
    this.#closedAt = this.#written()?.start ?? -1;
    this.#close();
  }

  #close() {
    this.#looking = null;
    this.#hide();
  }

  #hide() {
    if (this.list.hidden) return;
    this.list.hidden = true;
    this.field.removeAttribute('aria-controls');
    this.field.removeAttribute('aria-activedescendant');
  }
}

function makeOption(content, index) {
  const option = Object.assign(document.createElement('li'), { id: `completion-${index}`, className: 'member', role: 'option' });
  option.append(...content);
  return option;
}
