/** The bubble of a message: a row of the list, made from the same `<template>` as the server's own pages. */

import { showParts } from './bubble-parts.js';
import { showHour } from './dates.js';
import { showFiles } from './files.js';
import { showText } from './formatter.js';
import { gettext } from './i18n.js';
import { find, findAll, fromTemplate, me, part, setText } from './page.js';
import { sourceOf } from './text-element.js';

/** Makes the row for a message, or for an entry of the outbox, which has no `seq` yet. */
export function makeBubble(message, isInRoom = false) {
  const row = fromTemplate('bubble-template');
  const isMine = message.senderId === me.id;
  row.classList.toggle('mine', isMine);
  row.classList.toggle('theirs', !isMine);
  if (message.seq) part(row, 'failed')?.remove();
  if (!isMine) part(row, 'state').remove();
  Object.assign(row.dataset, { senderId: message.senderId, clientId: message.clientId });
  setText(part(row, 'sender'), isMine ? gettext('You') : message.sender);
  if (isInRoom && !isMine) showSender(row, message);
  else part(row, 'face').remove();
  updateBubble(row, message);
  return row;
}

/** In a room one sees who speaks. */
function showSender(row, { senderId }) {
  part(row, 'sender').className = 'sender';
  const face = part(row, 'face');
  face.src = `/face/${senderId}`;
  face.dataset.tint = senderId % 8;
  face.hidden = false;
}

/** Shows what an acknowledgement changes: the seq, the hour, the state, and what the server has made of the text. */
export function updateBubble(row, message) {
  const { seq, timestamp } = message;
  showContent(row, message);
  if (seq) row.dataset.seq = seq;
  else delete row.dataset.seq;
  part(row, 'time').dateTime = timestamp;
  showHour(part(row, 'time'));
  setBubbleState(row, seq ? 'sent' : 'pending');
}

/** Shows all of a message that can change while it is there. */
export function showContent(row, message) {
  const { mentionSpans = [], deleted = false } = message;
  const text = part(row, 'text');
  const isOther = sourceOf(text) !== message.message || findAll('.mention', text).length !== mentionSpans.length;
  if (isOther && !deleted) showText(text, message.message, mentionSpans);
  showParts(row, message);
  showFiles(row, message);
}

/** `state` is 'pending', 'sent', 'read' or 'failed'. */
export function setBubbleState(row, state) {
  const words = { pending: gettext('Sending'), sent: gettext('Sent'), read: gettext('Read'), failed: gettext('Not sent') };
  const icon = part(row, 'state')?.firstElementChild;
  if (row.dataset.state !== state) icon?.replaceWith(fromTemplate(`${state}-icon-template`));
  row.dataset.state = state;
  setText(part(row, 'state-word'), words[state]);
}

/** Says in a row that the server has refused it, and what can be done. Returns the words. */
export function showRefusal(row, { reason, isHopeless = false }) {
  const words = gettext('Not sent: %(reason)s', { reason });
  setText(part(row, 'failed-text'), words);
  find('[data-action="retry"]', row).hidden = isHopeless;
  find('[data-action="edit"]', row).hidden = !isHopeless;
  return words;
}
