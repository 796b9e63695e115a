/** The card of a room in the list, as the server has rendered it, and what is shown on it since. */

import { roomKey } from './address.js';
import { showWords } from './formatter.js';
import { badge, gettext, unreadWords } from './i18n.js';
import { noticeWords } from './notice.js';
import { me, part, setText } from './page.js';
import { shortWords } from './text.js';

const EVERYBODY = 0; // the id of a mention of all members
const MAX_LIVE_MEMBERS = 50; // the server does not note what has reached the members of a larger room

export const keyOfCard = (card) => card && roomKey(card.dataset.roomId);
export const mentionsOf = (card) => Number(card.dataset.mentions);

/** Whether the room is so large that nobody is told what has reached its members. A card that is not there says nothing. */
export const isLarge = (card) => Number(card?.dataset.members) > MAX_LIVE_MEMBERS;

/** Whether a message mentions the reader, by name or with everybody. */
export function mentionsMe({ mentions, mentionSpans }) {
  return mentions.includes(me.id) || Boolean(mentionSpans?.some(({ id }) => id === EVERYBODY));
}

export function showPreview(card, text) {
  card.dataset.preview = text;
  setText(part(card, 'preview'), text);
}

/** Shows a version of the last message. */
export function showLast(card, message) {
  card.dataset.lastChange = message.lastChange;
  showWords(part(card, 'preview'), message.message, () => (card.dataset.preview = previewOf(message)));
}

/** A message in short, as the list shows it. */
function previewOf(message) {
  if (message.kind !== 'text') return noticeWords(message);
  const text = shortWords(message);
  if (message.deleted) return text;
  if (message.senderId === me.id) return gettext('You: %(message)s', { message: text });
  return gettext('%(name)s: %(message)s', { name: message.sender, message: text });
}

/** Takes over what a card of the same room says that the server has rendered later. What is written on it while somebody types comes after that. */
export function updateCard(card, fresh) {
  const { unread, mentions, notify, members, lastSeq, lastChange, activity } = fresh.dataset;
  const tile = part(card, 'tile');
  const preview = part(fresh, 'preview').textContent.trim();
  Object.assign(card.dataset, { unread, mentions, notify, members, lastSeq, lastChange, activity, preview });
  if (part(fresh, 'tile').dataset.icon !== tile.dataset.icon) tile.replaceWith(part(fresh, 'tile'));
  else tile.dataset.tint = part(fresh, 'tile').dataset.tint;
  setText(part(card, 'name'), part(fresh, 'name').textContent);
  if (!('typing' in card.dataset)) setText(part(card, 'preview'), preview);
  part(card, 'time').dateTime = part(fresh, 'time').dateTime;
}

export function showUnread(card, unread, mentions) {
  Object.assign(card.dataset, { unread, mentions });
  const isMuted = card.dataset.notify === 'none';
  part(card, 'muted').hidden = !isMuted;
  part(card, 'unread').hidden = unread === 0 || isMuted;
  part(card, 'mentioned').hidden = mentions === 0;
  setText(part(card, 'unread-count'), badge(unread));
  setText(part(card, 'unread-text'), unreadWords(unread));
}

/** Shows what has changed of the room: fields of an R. Returns whether that is all; a picture that is not here comes from the server. */
export function showRoom(card, { name, icon, color, notify, members }) {
  const tile = part(card, 'tile');
  if (members) card.dataset.members = members;
  if (notify) card.dataset.notify = notify;
  if (name) setText(part(card, 'name'), name);
  if (color !== undefined) tile.dataset.tint = color;
  showUnread(card, Number(card.dataset.unread), mentionsOf(card));
  return !icon || icon === tile.dataset.icon;
}
