/** Fetches the list of people: its top anew, what follows, or what a search finds. */

import { requestPage } from './http.js';
import { arrangeCards, mergeCard, putLink } from './list-pages.js';
import { find, findAll } from './page.js';
import { updateCard } from './person-card.js';

export class PeoplePages {
  /** `people` is the list that shows them. */
  constructor(people) {
    this.people = people;
  }

  /**
   * Fetches the top of the list anew. What follows stays as it is; with `isWhole` it is fetched too, as far as it is shown: by the next
   * refresh, where that of the top alone, or a search, has come before the end.
   */
  async refresh(isWhole = false) {
    const { people } = this;
    people.wantsWhole ||= isWhole;
    if (people.search.isFiltering) return people.refreshSoon(); // that answer will be another list
    const top = await this.#fetch({ q: people.search.query }).catch(() => null);
    let page = top;
    if (!page) return;
    const fresh = this.#merge(page);
    const restOf = () => people.cards.filter((card) => !fresh.includes(card));
    while (people.wantsWhole && restOf().length && find('#people-more', page)) {
      page = await this.#fetch({ q: people.search.query, after: afterOf(find('#people-more', page)) }).catch(() => null);
      if (!page) return void (people.search.isFiltering || people.hydrate());
      fresh.push(...this.#merge(page));
    }
    people.counts.countElsewhere(top, fresh);
    const rest = restOf();
    arrangeCards(people.list, [...fresh, ...rest]);
    find('#people-empty').replaceWith(find('#people-empty', page));
    if (!rest.length || people.wantsWhole) putLink(find('#people-more'), find('#people-more', page), people.box, people.cards.at(-1));
    people.wantsWhole = false;
    people.hydrate();
  }

  /** Returns the cards of a page of the list: those that were there, brought up to date, and new ones. */
  #merge(page) {
    return findAll('li.person', page).map((fresh) => mergeCard(this.people, this.people.card(fresh.dataset.userId), fresh, updateCard));
  }

  /** Shows another list in place of this one. */
  async show(parameters) {
    const { people } = this;
    const page = await this.#fetch(parameters);
    people.counts.countElsewhere(page);
    people.keepFocus(() => people.box.replaceChildren(...page.body.children));
    people.scroll.scrollTop = 0;
    people.hydrate();
  }

  /** Fetches what follows the list: `link` leads there without JavaScript. */
  async showMore(link) {
    const { people } = this;
    if (people.loading) return;
    const page = await this.#fetch({ q: people.search.query, after: afterOf(link) }).catch(() => null);
    if (!page) return;
    people.counts.countElsewhere(page);
    const added = findAll('li.person', page).filter((card) => !people.card(card.dataset.userId));
    people.list.append(...added);
    putLink(link, find('#people-more', page), people.box, added[0] ?? people.cards.at(-1));
    people.hydrate();
  }

  /** Fetches a list. One at a time: a newer request aborts the older one, whose answer would be stale. */
  async #fetch(parameters) {
    const { people } = this;
    people.loading?.abort();
    const loading = people.loading = new AbortController();
    try {
      return await requestPage(`/users?${new URLSearchParams(parameters)}`, loading.signal);
    } finally {
      if (people.loading === loading) people.loading = null;
    }
  }
}

/** The id of the person after whom the page of a link begins. */
function afterOf(link) {
  const { searchParams } = new URL(link.getAttribute('href'), location);
  return searchParams.get('people_after') ?? searchParams.get('after');
}
