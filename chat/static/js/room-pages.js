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
    while (isWhole && rest().length && find('#rooms-more', page)) {
      page = await fetchList(following(page));
      if (!page) return;
      fresh.push(...findAll('li.room', page));
    }
    if (isWhole && rest().length) rooms.refreshSoon(); // one has moved to the top meanwhile, or its reader has been removed from it
    const kept = find('#rooms-more', page) ? rest() : []; // "Show more" or a search has brought them
    const more = kept.length && !isWhole ? find('#rooms-more') : find('#rooms-more', page);
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

  /** Adds the rooms that a search finds among those that the list does not show. */
  async search(query) {
    const { rooms } = this;
    const page = await fetchList({ q: query });
    if (!page || rooms.query !== query) return; // another search has begun
    for (const key of this.#add(page)) rooms.card(key).dataset.found = query;
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
    find('#rooms-more')?.remove();
    if (link) this.rooms.section.append(link);
  }
}

const before = (link) => ({ rooms_before: new URL(link.getAttribute('href'), location).searchParams.get('rooms_before') });
const following = (page) => before(find('#rooms-more', page));

/** Resolves to a page of the list, or to null where it does not come. */
async function fetchList(parameters) {
  const answer = await request(`/rooms?${new URLSearchParams({ list: '', ...parameters })}`, 'text/html').catch(() => null);
  return answer && parseHtml(await answer.text());
}
