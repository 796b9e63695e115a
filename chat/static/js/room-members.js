/** The members of a room, as far as they were asked for: the server gives them a page at a time. */

import { folded } from './folding.js';
import { request } from './http.js';
import { me } from './page.js';

const PAGE_LENGTH = 200; // members; as many as the server gives at once

export class RoomMembers {
  #people = []; // [{id, username, key}] of the others, in the server's order: owners first, then by name
  #last; // the id that ends what is fetched
  #loading = null; // the request under way

  /** `isOwner`: whether the reader is one. `isComplete`: whether all members have been fetched. */
  constructor(roomId, signal) {
    Object.assign(this, { roomId, signal, isOwner: false, isComplete: false });
  }

  /** Returns up to `limit` of those who are known and whose name contains `text`. Names that begin with it come first. */
  matching(text, limit) {
    const wanted = folded(text);
    const ranks = [[], [], []];
    for (const person of this.#people) {
      if (person.key.startsWith(wanted)) ranks[0].push(person);
      else if (person.key.includes(` ${wanted}`)) ranks[1].push(person); // the beginning of another word
      else if (person.key.includes(wanted)) ranks[2].push(person);
    }
    return ranks.flat().slice(0, limit);
  }

  /** Fetches one more page. Throws where it does not come. */
  fetchMore() {
    this.#loading ??= this.#fetch().finally(() => { this.#loading = null; });
    return this.#loading;
  }

  async #fetch() {
    const page = this.#last ? `?after=${this.#last}` : '';
    const { role, people } = await (await request(`/rooms/${this.roomId}${page}`, 'application/json', this.signal)).json();
    this.isOwner = role === 'owner';
    this.isComplete = people.length < PAGE_LENGTH;
    this.#last = people.at(-1)?.id;
    const others = people.filter(({ id }) => id !== me.id);
    this.#people.push(...others.map(({ id, username }) => ({ id, username, key: folded(username) })));
  }
}
