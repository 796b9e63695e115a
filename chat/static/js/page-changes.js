/** What shows messages beside the open conversation: the list of what is pinned, and the page of one message. */

import { isRoom } from './address.js';
import { request } from './http.js';
import { find } from './page.js';

const loadPins = () => import('./pins.js');
const loadDetails = () => import('./details.js');

/** Shows there that a message is different now. `isOpen`: its conversation is open. */
export function showOnPage(message, isOpen) {
  const page = find('#message-page');
  if (find('#pins')) loadPins().then(({ refreshPins }) => refreshPins(message.conversationId, isOpen), () => {});
  if (page) loadDetails().then(({ showChanged }) => showChanged(page, message), () => {});
}

/**
 * Fetches what the page shows, after a time without a connection. An open conversation hears of its messages and pins itself, but not of
 * what has become of its room.
 */
export function refreshPage(conversation) {
  if (conversation && isRoom(conversation.key)) refreshRoom(conversation);
  const page = find('#message-page');
  const conversationId = find('#pins')?.dataset.conversationId;
  if (conversationId) loadPins().then(({ refreshPins }) => refreshPins(conversationId, false), () => {});
  if (page) loadDetails().then(({ refresh }) => refresh(page), () => {});
}

async function refreshRoom(conversation) {
  const { conversationId } = conversation.section.dataset;
  const room = await request(`/rooms/${conversationId}`, 'application/json').then((answer) => answer.json()).catch(() => null);
  if (room?.role) conversation.roomChanged(room);
}
