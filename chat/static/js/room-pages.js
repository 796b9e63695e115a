/** Fetches the list of rooms: its top anew, what follows, or what a search finds. */

import { requestPage } from './http.js';
import { arrangeCards, mergeCard, putLink } from './list-pages.js';
import { find, findAll } from './page.js';
import { keyOfCard, updateCard } from './room-card.js';

export class RoomPages {
  /** `rooms` is the list that shows them. */
  constructor(rooms) {
    this.rooms = rooms;
  }

  /** Fetches the first page of the list anew. The further pages stay as they are; with `isWhole` those that are shown are fetched too. */
  async refresh(isWhole = false) {
    const { rooms } = this;
    isWhole ||= rooms.wantsWhole;
    rooms.wantsWhole = false;
    let page = await fetchList({});
    if (page) this.#takeTotal(page);
    const fresh = [];
    const rest = () => rooms.cards.filter((card) => !fresh.includes(card));
    const asked = () => rest().filter((card) => !isExtra(card)); // what a search has added is further down, and goes with it
    for (; page; page = await fetchList(following(page))) {
      fresh.push(...this.#merge(page));
      if (!isWhole || !asked().length || !find('#rooms-more', page)) break;
    }
    if (!page) {
      rooms.wantsWhole = isWhole; // the next refresh fetches what is missing
      return void (fresh.length && rooms.hydrate());
    }
    // A card that no page had: its room has moved to the first page meanwhile, or the reader has been removed from it.
    if (isWhole && asked().length) rooms.refreshSoon();
    const kept = find('#rooms-more', page) ? rest().filter((card) => !isExtra(card) || isFound(card, rooms) || keyOfCard(card) === rooms.openKey) : [];
    const isFurther = kept.some((card) => !isExtra(card)); // further pages stay, and with them their own "Show more"
    arrangeCards(rooms.list, [...fresh, ...kept]);
    delete rooms.list.dataset.found;
    if (!isFurther) putLink(find('#rooms-more'), find('#rooms-more', page), rooms.section, rooms.cards.at(-1));
    rooms.hydrate();
  }

  /** Returns a card for each room of a fetched page: the one that the list has, brought up to date, or else a new one. */
  #merge(page) {
    return findAll('li.room', page).map((fresh) => {
      const card = mergeCard(this.rooms, this.rooms.card(keyOfCard(fresh)), fresh, updateCard);
      delete card.dataset.extra;
      return card;
    });
  }

  #takeTotal(page) {
    this.rooms.list.dataset.mentionsTotal = find('#rooms', page).dataset.mentionsTotal ?? 0;
  }

  /** "Show more rooms": without JavaScript `link` leads to another page. */
  async showMore(link) {
    const { rooms } = this;
    const page = await fetchList(before(link));
    if (!page) return;
    const known = rooms.cards.filter((card) => !isExtra(card));
    const added = this.#merge(page).filter((card) => !known.includes(card));
    arrangeCards(rooms.list, [...known, ...added, ...rooms.cards.filter(isExtra)]);
    this.#takeTotal(page);
    putLink(find('#rooms-more'), find('#rooms-more', page), rooms.section, added[0] ?? rooms.cards.at(-1));
    rooms.hydrate();
  }

  /** Adds what a search finds in the rooms that the list does not show: the first page of it, or the one that `link` leads to. */
  async search(query, link = null) {
    const { rooms } = this;
    const page = await fetchList({ q: query, ...(link && before(link)) });
    if (!page || rooms.query !== query) return; // another search has begun
    const found = findAll('li.room', page);
    const added = found.filter((card) => !rooms.card(keyOfCard(card)));
    for (const card of added) card.dataset.extra = ''; // it is removed when the search ends
    rooms.list.append(...added);
    this.#takeTotal(page);
    const cards = found.map((card) => rooms.card(keyOfCard(card)));
    rooms.markFound(cards, putLink(find('#rooms-found'), find('#rooms-more', page), rooms.section, added[0] ?? cards.at(-1)));
    rooms.hydrate();
  }
}

/** Whether a card is there because a search has found it. */
const isExtra = ({ dataset }) => 'extra' in dataset;
const isFound = ({ dataset }, { query }) => dataset.found === query;

const before = (link) => ({ rooms_before: new URL(link.getAttribute('href'), location).searchParams.get('rooms_before') });
const following = (page) => before(find('#rooms-more', page));

/** Resolves to a page of the list, or to null where it does not come. */
async function fetchList(parameters) {
  return requestPage(`/rooms?${new URLSearchParams({ list: '', ...parameters })}`).catch(() => null);
}
