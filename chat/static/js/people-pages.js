/** Fetches the list of people: its top anew, what follows, or what a search finds. */

import { request } from './http.js';
import { find, findAll, parseHtml } from './page.js';
import { lastSeqOf, updateCard } from './person-card.js';

export class PeoplePages {
  /** `people` is the list that shows them. */
  constructor(people) {
    this.people = people;
  }

  /** Fetches the top of the list anew. What follows stays as it is; with `isWhole` it is fetched too, as far as it is shown. */
  async refresh(isWhole = false) {
    const { people } = this;
    if (people.search.isFiltering) return people.refreshSoon(); // that answer will be another list
    const top = await this.#fetch({ q: people.search.query }).catch(() => null);
    let page = top;
    if (!page) return;
    const fresh = findAll('li.person', page).map((card) => this.#merge(card));
    const restOf = () => people.cards.filter((card) => !fresh.includes(card));
    while (isWhole && restOf().length && find('#people-more', page)) {
      page = await this.#fetch({ q: people.search.query, after: afterOf(find('#people-more', page)) }).catch(() => null);
      if (!page) return;
      fresh.push(...findAll('li.person', page).map((card) => this.#merge(card)));
    }
    people.counts.countElsewhere(top, fresh);
    const focused = document.activeElement;
    const rest = restOf();
    const more = rest.length && !isWhole ? find('#people-more') : find('#people-more', page);
    const empty = find('#people-empty', page);
    people.list.replaceChildren(...fresh, ...rest);
    people.box.replaceChildren(people.list, empty, ...(more ? [more] : []));
    if (people.list.contains(focused)) focused.focus({ preventScroll: true });
    people.hydrate();
  }

  /** Brings the card that is there up to date with a fresh one, and returns it; the fresh one if there is none. */
  #merge(fresh) {
    const known = this.people.card(fresh.dataset.userId);
    if (!known) return fresh;
    if (lastSeqOf(fresh) < lastSeqOf(known)) { // a message has come since the server answered
      this.people.refreshSoon();
      return known;
    }
    updateCard(known, fresh);
    return known;
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
    people.list.append(...findAll('li.person', page).filter((card) => !people.card(card.dataset.userId)));
    link.remove();
    const next = find('#people-more', page);
    if (next) people.box.append(next);
    people.hydrate();
  }

  /** Fetches a list. One at a time: a newer request aborts the older one, whose answer would be stale. */
  async #fetch(parameters) {
    const { people } = this;
    people.loading?.abort();
    const loading = people.loading = new AbortController();
    try {
      return parseHtml(await (await request(`/users?${new URLSearchParams(parameters)}`, 'text/html', loading.signal)).text());
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
