/** The header of an open room, and what may be done in it, when they have changed. */

import { formatNumber } from './i18n.js';
import { find, part, setText } from './page.js';
import { fetchPanel, refreshPart, showNotify } from './room-panel.js';
import { setPageTitle } from './title.js';

/** Shows what has changed of the room in `section`: fields of an R. */
export function showRoomHeader(section, room) {
  const { name, topic, members, archived, role, color, icon, notify } = room;
  const tile = part(section, 'tile');
  const isAnother = isChanged(role, section.dataset.role) || isChanged(archived?.toString(), section.dataset.archived);
  if (name) {
    setText(find('#conversation-title bdi', section), name);
    setPageTitle(`${name} · Chat`);
  }
  if (topic !== undefined) showTopic(section, topic);
  if (members) {
    section.dataset.members = members; // a room that has grown large is marked less often
    setText(part(section, 'member-count'), formatNumber(members));
    if (members > 1) part(section, 'alone')?.remove();
  }
  if (role) section.dataset.role = role; // it says what may be done to messages
  if (color !== undefined) tile.dataset.tint = color;
  if (notify) showNotify(notify);
  if (archived !== undefined) {
    section.dataset.archived = archived;
    find('#composer', section).hidden = archived;
    find('#archived', section).hidden = !archived;
  }
  if (isAnother) fetchPanel(); // it has other forms
  if (isChanged(icon, tile.dataset.icon) || find('#info-panel')) refreshPart(section);
}

/** Shows a topic. Where there is none, the owners have a link there that asks for one: it stays, and goes once there is a topic. */
function showTopic(section, topic) {
  const place = part(section, 'topic');
  if (topic || !find('a', place)) setText(place, topic);
  if (topic) find('.unwritten [href$="info=topic"]', section)?.closest('li').remove();
}

const isChanged = (value, known) => value !== undefined && value !== null && value !== known;
