/** The card of a person in the list, made from the same `<template>` as the server's own pages. */

import { showAge } from './dates.js';
import { showWords } from './formatter.js';
import { badge, gettext, unreadWords } from './i18n.js';
import { find, fromTemplate, me, part, setText } from './page.js';
import { shortWords } from './text.js';

/** The seq of the newest message that a card shows; 0 without a card or a message. */
export const lastSeqOf = (card) => Number(card?.dataset.lastSeq) || 0;

/** A card for the sender of a message, whom the list did not have. */
export function makeCard({ senderId, sender, seq }) {
  const card = fromTemplate('user-card-template');
  Object.assign(card.dataset, { userId: senderId, lastSeq: seq - 1 });
  find('a', card).href = `/chat/${encodeURIComponent(sender)}`;
  setText(part(card, 'name'), sender);
  part(card, 'avatar').src = `/face/${senderId}`;
  part(card, 'avatar').dataset.tint = senderId % 8;
  return card;
}

/** Shows a message as the newest one of the conversation. */
export function showPreview(card, message) {
  Object.assign(card.dataset, { lastSeq: message.seq, lastChange: message.lastChange ?? 0 });
  const isMine = message.senderId === me.id && !message.deleted;
  const toWords = () => (isMine ? gettext('You: %(message)s', { message: shortWords(message) }) : shortWords(message));
  showWords(part(card, 'preview'), message.message, toWords);
  part(card, 'time').dateTime = message.timestamp;
  showAge(part(card, 'time'));
}

export function showUnread(card, count) {
  card.dataset.unread = count;
  part(card, 'unread').hidden = count === 0;
  setText(part(card, 'unread-count'), badge(count));
  setText(part(card, 'unread-text'), unreadWords(count));
}

/** Takes over what a card of the same person says that the server has rendered later. */
export function updateCard(card, fresh) {
  card.dataset.lastSeq = fresh.dataset.lastSeq;
  card.dataset.lastChange = fresh.dataset.lastChange;
  setText(part(card, 'preview'), part(fresh, 'preview').textContent.trim());
  part(card, 'time').dateTime = part(fresh, 'time').dateTime;
  card.dataset.unread = fresh.dataset.unread;
}
