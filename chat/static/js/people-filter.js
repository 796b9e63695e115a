/** Searches for people and rooms. The server filters the lists; where it cannot be asked, what is on the page is searched. */

import { folded } from './folding.js';
import { formatNumber, gettext, ngettext } from './i18n.js';
import { find, findAll, part, setText } from './page.js';

const SKELETON_DELAY_MS = 250; // an answer that comes sooner needs no placeholder

export class PeopleFilter {
  #filtering = null; // {shown, query} before the search under way: what is searched if it fails
  #everyone = null; // the cards that are searched without a network
  #searched = null; // resolves when the last search that was begun is through
  #active = null; // the link that the arrow keys have chosen

  /** `box` is the PeopleSearch, the field. */
  constructor(box) {
    this.box = box;
    this.people = box.people;
  }

  /** Searches for what stands in the field. Resolves when the list shows it: or a newer search has begun. */
  search() {
    const query = this.box.field.value.trim();
    if (query !== this.box.query) this.#searched = this.#searchFor(query);
    return this.#searched;
  }

  async #searchFor(query) {
    const { people, box } = this;
    const filtering = this.#filtering = { shown: [...people.list.children], query: box.query, ...this.#filtering };
    box.isFiltering = true;
    box.query = query;
    const rooms = box.onQuery(query, folded);
    const timer = setTimeout(() => this.#showSkeleton(), SKELETON_DELAY_MS);
    try {
      await people.pages.then((pages) => pages.show({ q: query }));
      this.#everyone = null;
    } catch {
      if (this.#filtering !== filtering) return; // a newer search has begun
      this.#filterHere(filtering.shown);
    } finally {
      clearTimeout(timer);
      if (this.#filtering === filtering) {
        this.#filtering = null;
        box.isFiltering = false;
      }
    }
    this.#choose(null);
    await rooms;
    if (query !== box.query) return;
    people.showEmpty();
    if (query) this.#sayFound();
  }

  #showSkeleton() {
    const { hasFocus, list } = this.people;
    if (!hasFocus) list.replaceChildren(find('#people-skeleton').content.cloneNode(true)); // else the focus would be lost
  }

  #filterHere(shown) {
    const { people } = this;
    this.#everyone ??= shown;
    const wanted = folded(this.box.query);
    const found = this.#everyone.filter((card) => folded(part(card, 'name').textContent).includes(wanted));
    people.keepFocus(() => people.list.replaceChildren(...found));
    const [words, hint] = findAll('#people-empty > p');
    people.showEmpty();
    setText(words, gettext('No results for “%(q)s” on this page.', { q: this.box.query }));
    setText(hint, gettext('No connection: only the people on this page can be searched.'));
  }

  #sayFound() {
    const { length } = this.people.cards;
    const more = find('#people-more') ? `${formatNumber(length)}+` : undefined;
    const roomCount = this.people.roomLinks().length;
    const found = [
      roomCount && ngettext('%(num)s room found', '%(num)s rooms found', roomCount),
      length && ngettext('%(num)s person found', '%(num)s people found', length, more),
    ].filter(Boolean);
    this.box.say(found.join(', ') || gettext('No results.'));
  }

  // The keyboard: the focus stays in the field, and the arrow keys choose a link of the list

  /** Marks a link as the one that Enter opens; null for none. */
  #choose(link) {
    this.#active?.removeAttribute('data-active');
    this.#active = link ?? null;
    if (!link) return this.box.field.removeAttribute('aria-activedescendant');
    const { roomId, userId } = link.parentElement.dataset;
    link.id ||= roomId ? `room-${roomId}` : `person-${userId}`;
    link.setAttribute('data-active', '');
    link.scrollIntoView({ block: 'nearest' });
    this.box.field.setAttribute('aria-activedescendant', link.id);
  }

  get #links() {
    return [...this.people.roomLinks(), ...this.people.links];
  }

  /** Chooses the next link, or the one before. */
  move(step) {
    const links = this.#links;
    const next = links.indexOf(this.#active) + step; // -1 is the field itself, before the first link and after the last
    this.#choose(links[next === -2 ? links.length - 1 : next]);
  }

  /** Opens the conversation that was chosen, else the first that was found. While a search is under way, the list is that of another one. */
  async open() {
    this.search();
    for (let searched = null; searched !== this.#searched;) await (searched = this.#searched);
    const chosen = this.#active?.isConnected ? this.#active : this.box.query && this.#links[0];
    if (!chosen) return;
    this.#choose(null);
    chosen.click();
  }
}
