/** Fetches the list of rooms: its top anew, or what follows. */

import { roomKey } from './address.js';
import { request } from './http.js';
import { find, findAll, parseHtml } from './page.js';

const keyOfCard = (card) => card && roomKey(card.dataset.roomId);

export class RoomPages {
  /** `rooms` is the list that shows them. */
  constructor(rooms) {
    this.rooms = rooms;
  }

  async refresh() {
    const { rooms } = this;
    const page = await fetchList('').catch(() => null);
    if (!page) return;
    const focused = keyOfCard(document.activeElement?.closest('li.room'));
    const shown = new Set(findAll('li.room', page).map(keyOfCard));
    const rest = rooms.cards.filter((card) => !shown.has(keyOfCard(card)));
    const hasRest = rest.length > 0 && find('#rooms-more', page);
    find('#rooms').replaceWith(find('#rooms', page));
    if (hasRest) find('#rooms').append(...rest); // "Show more" has brought them
    else this.#putLink(page);
    rooms.hydrate();
    if (focused) rooms.card(focused)?.querySelector('a').focus({ preventScroll: true });
  }

  /** "Show more rooms": without JavaScript `link` leads to another page. */
  async showMore(link) {
    const { rooms } = this;
    const page = await fetchList(`&rooms_before=${new URL(link.href).searchParams.get('rooms_before')}`).catch(() => null);
    if (!page) return;
    find('#rooms').append(...findAll('li.room', page).filter((card) => !rooms.card(keyOfCard(card))));
    this.#putLink(page);
    rooms.hydrate();
  }

  /** Puts the link to the rooms that follow, if there are more. */
  #putLink(page) {
    find('#rooms-more')?.remove();
    const more = find('#rooms-more', page);
    if (more) this.rooms.section.append(more);
  }
}

const fetchList = async (more) => parseHtml(await (await request(`/rooms?list${more}`, 'text/html')).text());
