/** The field that searches for people. What it finds, and how (people-filter.js), is loaded later. */

import { debounce, find, isComposing } from './page.js';

const INPUT_PAUSE_MS = 150;

export class PeopleSearch {
  isFiltering = false; // whether a search is under way
  #filter = null; // the PeopleFilter

  /**
   * `people` is the list, `load()` resolves to the PeopleFilter's module; `say(words)` announces what was found; `onQuery(query)` is
   * told what is searched for.
   */
  constructor(people, { load, say, onQuery }) {
    Object.assign(this, { people, load, say, onQuery });
    this.field = find('#search-input');
    this.query = this.field.defaultValue.trim(); // what the server has searched for
    this.field.addEventListener('input', debounce(INPUT_PAUSE_MS, () => this.#do('search')));
    this.field.addEventListener('keydown', (event) => this.#pressed(event));
    find('#search').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#do('open');
    });
    people.scroll.addEventListener('click', (event) => this.#clicked(event));
    if (this.field.value.trim() !== this.query) this.#do('search'); // written before this came
  }

  clear() {
    this.field.value = '';
    return this.#do('search');
  }

  /** Calls a method of the PeopleFilter. */
  async #do(name, ...values) {
    const module = await this.load().catch(() => null);
    if (!module) return; // the next key asks for it again
    this.#filter ??= new module.PeopleFilter(this);
    await this.#filter[name](...values);
  }

  /** The focus stays in the field, and the arrow keys choose in the list. */
  #pressed(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || isComposing(event) || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.#do('move', step);
  }

  /** The link "Show everyone" of a search that has found nobody. */
  #clicked(event) {
    if (!event.target.closest('#people-empty a')) return;
    event.preventDefault();
    this.clear();
    this.field.focus();
  }
}
