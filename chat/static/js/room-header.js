/** The header of an open room, and what may be done in it, when they have changed. */

import { formatNumber } from './i18n.js';
import { find, part, setText } from './page.js';
import { setPageTitle } from './title.js';

/** Shows what has changed of the room in `section`: fields of an R. */
export function showRoomHeader(section, { name, topic, members, archived }) {
  if (name) {
    setText(find('#conversation-title bdi', section), name);
    setPageTitle(`${name} · Chat`);
  }
  if (topic !== undefined) setText(part(section, 'topic'), topic);
  if (members) {
    section.dataset.members = members; // a room that has grown large is marked less often
    setText(part(section, 'member-count'), formatNumber(members));
  }
  if (archived !== undefined) {
    find('#composer', section).hidden = archived;
    find('#archived', section).hidden = !archived;
  }
}
