/** The header of an open room, and what may be done in it, when they have changed. */

import { formatNumber } from './i18n.js';
import { find, findAll, part, setText } from './page.js';
import { fetchPanel, refreshPart, showNotify } from './room-panel.js';
import { setPageTitle } from './title.js';

/** Shows what has changed of the room in `section`: fields of an R. */
export function showRoomHeader(section, room) {
  if (!section.isConnected) return; // another conversation was opened while this module was loaded
  const { name, topic, members, archived, role, color, icon, notify } = room;
  const tile = part(section, 'tile');
  const isAnother = isChanged(role, section.dataset.role) || isChanged(archived?.toString(), section.dataset.archived);
  if (name) {
    setText(find('#conversation-title bdi', section), name);
    setPageTitle(`${name} · Chat`);
  }
  if (topic !== undefined) setText(part(section, 'topic'), topic);
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
  showInvitations(section);
  const hasPanel = Boolean(find('#info-panel'));
  if (isAnother && hasPanel) fetchPanel(section); // it has other forms
  else if (hasPanel || isChanged(icon, tile.dataset.icon)) refreshPart(section);
}

/** Invites to what can be done first: nothing in an archived room, and to give the room a topic its owners while it has none. */
function showInvitations(section) {
  const focused = document.activeElement;
  const { role, archived } = section.dataset;
  const unwritten = find('.unwritten', section);
  if (unwritten) unwritten.hidden = archived === 'true';
  const mayAddTopic = role === 'owner' && archived !== 'true' && !part(section, 'topic').textContent;
  for (const invitation of findAll('[data-part="add-topic"]', section)) invitation.hidden = !mayAddTopic;
  if (focused.closest('[hidden]') && section.contains(focused)) find('h1', section).focus({ preventScroll: true });
}

const isChanged = (value, known) => value !== undefined && value !== null && value !== known;
