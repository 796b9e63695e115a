/** Fetches the list of rooms: its top anew, what follows, or what a search finds. */

import { request } from './http.js';
import { find, findAll, parseHtml } from './page.js';
import { keyOfCard } from './room-card.js';

export class RoomPages {
  /** `rooms` is the list that shows them. */
  constructor(rooms) {
    this.rooms = rooms;
  }

  /** Fetches the top of the list anew. What follows stays as it is; with `isWhole` it is fetched too, as far as it is shown. */
  async refresh(isWhole = false) {
    const { rooms } = this;
    let page = await fetchList({});
    if (!page) return;
    const fresh = findAll('li.room', page);
    const list = find('#rooms', page);
    const rest = () => rooms.cards.filter((card) => !fresh.some((one) => keyOfCard(one) === keyOfCard(card)));
    const asked = () => rest().filter(({ dataset }) => !('extra' in dataset) || dataset.found === rooms.query);
    while (isWhole && asked().length && find('#rooms-more', page)) {
      page = await fetchList(following(page));
      if (!page) return;
      fresh.push(...findAll('li.room', page));
    }
    if (isWhole && asked().length) rooms.refreshSoon(); // one has moved to the top meanwhile, or its reader has been removed from it
    for (const card of fresh) if (rooms.card(keyOfCard(card))?.dataset.found === rooms.query) card.dataset.found = rooms.query;
    const kept = !isWhole && find('#rooms-more', page) ? rest() : []; // "Show more" or a search has brought them
    const more = kept.length && !('found' in find('#rooms').dataset) ? find('#rooms-more') : find('#rooms-more', page);
    const focused = keyOfCard(document.activeElement?.closest('li.room'));
    list.replaceChildren(...fresh, ...kept);
    find('#rooms').replaceWith(list);
    this.#putLink(more);
    rooms.hydrate();
    if (focused) rooms.card(focused)?.querySelector('a').focus({ preventScroll: true });
  }

  /** "Show more rooms": without JavaScript `link` leads to another page. */
  async showMore(link) {
    const page = await fetchList(before(link));
    if (!page) return;
    this.#add(page);
    this.#putLink(find('#rooms-more', page));
    this.rooms.hydrate();
  }

  /** Adds the rooms that a search finds among those that the list does not show: the first, or those that follow by a `link` to them. */
  async search(query, link = null) {
    const { rooms } = this;
    const page = await fetchList({ q: query, ...(link && before(link)) });
    if (!page || rooms.query !== query) return; // another search has begun
    for (const card of findAll('li.room', page)) card.dataset.extra = ''; // it goes with the search
    rooms.markFound(this.#add(page).map((key) => rooms.card(key)), find('#rooms-more', page));
    rooms.hydrate();
  }

  /** Adds the rooms of a page that are not in the list. Returns the keys of all that the page has. */
  #add(page) {
    const list = find('#rooms');
    const cards = findAll('li.room', page);
    const keys = cards.map(keyOfCard);
    list.append(...cards.filter((card) => !this.rooms.card(keyOfCard(card))));
    list.dataset.mentionsTotal = find('#rooms', page).dataset.mentionsTotal ?? 0;
    return keys;
  }

  /** Puts the link to the rooms that follow, if there are more. */
  #putLink(link) {
    if (link === find('#rooms-more')) return; // it may have the focus
    find('#rooms-more')?.remove();
    if (link) this.rooms.section.append(link);
  }
}

const before = (link) => ({ rooms_before: new URL(link.getAttribute('href'), location).searchParams.get('rooms_before') });
const following = (page) => before(find('#rooms-more', page));

/** Resolves to a page of the list, or to null where it does not come. */
async function fetchList(parameters) {
  const url = `/rooms?${new URLSearchParams({ list: '', ...parameters })}`;
  return request(url, 'text/html').then((answer) => answer.text()).then(parseHtml).catch(() => null);
}
