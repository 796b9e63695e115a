/** The search for people. The server filters the list; where it cannot be asked, the people on the page are searched. */

import { formatNumber, gettext, ngettext } from './i18n.js';
import { debounce, find, findAll, part, setText } from './page.js';
import { folded } from './text.js';

const INPUT_PAUSE_MS = 150;
const SKELETON_DELAY_MS = 250; // an answer that comes sooner needs no placeholder

export class PeopleSearch {
  #filtering = null; // {shown, query} before the search under way: what is searched if it fails
  #everyone = null; // the cards that are searched without a network
  #active = null; // the link that the arrow keys have chosen

  /** `people` is the list; `say(words)` announces what was found; `onQuery(query)` is told what is searched for. */
  constructor(people, say, onQuery) {
    Object.assign(this, { people, say, onQuery });
    this.field = find('#search-input');
    this.query = this.field.value.trim();
    this.field.addEventListener('input', debounce(INPUT_PAUSE_MS, () => this.#filter()));
    this.field.addEventListener('keydown', (event) => this.#pressed(event));
    find('#search').addEventListener('submit', (event) => this.#submitted(event));
    people.scroll.addEventListener('click', (event) => this.#clicked(event));
  }

  get isFiltering() {
    return Boolean(this.#filtering);
  }

  clear() {
    this.field.value = '';
    this.#filter();
  }

  async #filter() {
    const { people } = this;
    const query = this.field.value.trim();
    if (query === this.query) return;
    const filtering = this.#filtering = { shown: [...people.list.children], query: this.query, ...this.#filtering };
    this.query = query;
    this.onQuery(query);
    const timer = setTimeout(() => this.#showSkeleton(), SKELETON_DELAY_MS);
    try {
      people.replace(await people.fetch({ q: query }));
      this.#everyone = null;
    } catch {
      if (this.#filtering !== filtering) return; // a newer search has begun
      this.#filterHere(filtering.shown);
    } finally {
      clearTimeout(timer);
      if (this.#filtering === filtering) this.#filtering = null;
    }
    this.#choose(null);
    if (query) this.#sayFound();
  }

  #showSkeleton() {
    const { hasFocus, list } = this.people;
    if (!hasFocus) list.replaceChildren(find('#people-skeleton').content.cloneNode(true)); // else the focus would be lost
  }

  #filterHere(shown) {
    const { people } = this;
    this.#everyone ??= shown;
    const wanted = folded(this.query);
    const found = this.#everyone.filter((card) => folded(part(card, 'name').textContent).includes(wanted));
    people.keepFocus(() => people.list.replaceChildren(...found));
    const [words, hint] = findAll('#people-empty > p');
    find('#people-empty').hidden = people.cards.length > 0;
    setText(words, gettext('No results for “%(q)s” on this page.', { q: this.query }));
    setText(hint, gettext('No connection: only the people on this page can be searched.'));
  }

  #sayFound() {
    const { length } = this.people.cards;
    const more = find('#people-more') ? `${formatNumber(length)}+` : undefined;
    if (length) this.say(ngettext('%(num)s person found', '%(num)s people found', length, more));
    else this.say(gettext('No results.'));
  }

  // The keyboard: the focus stays in the field, and the arrow keys choose a link of the list

  /** Marks a link as the one that Enter opens; null for none. */
  #choose(link) {
    this.#active?.removeAttribute('data-active');
    this.#active = link ?? null;
    if (!link) return this.field.removeAttribute('aria-activedescendant');
    link.id ||= `person-${link.parentElement.dataset.userId}`;
    link.setAttribute('data-active', '');
    link.scrollIntoView({ block: 'nearest' });
    this.field.setAttribute('aria-activedescendant', link.id);
  }

  #pressed(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || event.isComposing || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const { links } = this.people;
    const next = links.indexOf(this.#active) + step; // -1 is the field itself, before the first link and after the last
    this.#choose(links[next === -2 ? links.length - 1 : next]);
  }

  async #submitted(event) {
    event.preventDefault();
    await this.#filter();
    const chosen = this.#active?.isConnected ? this.#active : this.query && this.people.links[0];
    if (!chosen) return;
    this.#choose(null);
    chosen.click();
  }

  /** The link "Show everyone" of a search that has found nobody. */
  #clicked(event) {
    if (!event.target.closest('#people-empty a')) return;
    event.preventDefault();
    this.clear();
    this.field.focus();
  }
}
