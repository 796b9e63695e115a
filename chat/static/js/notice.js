/** A line in the timeline of a room: who did what. The words are those of the server's `<template>`s. */

import { showHour } from './dates.js';
import { fromTemplate, part, setText } from './page.js';

/** Makes the row of a notice. What this page does not know says that a newer one does. */
export function makeNotice(message) {
  const row = fromTemplate(templateOf(message.notice));
  Object.assign(row.dataset, { seq: message.seq, clientId: message.clientId, senderId: message.senderId });
  fillNotice(row, message);
  part(row, 'time').dateTime = message.timestamp;
  showHour(part(row, 'time'));
  return row;
}

/** The words of a notice as one text. */
export const noticeWords = (message) => part(fillNotice(fromTemplate(templateOf(message.notice)), message), 'text').textContent.trim();

function fillNotice(row, { sender, notice }) {
  setText(part(row, 'who'), sender);
  setText(part(row, 'whom'), notice?.whom?.username);
  setText(part(row, 'value'), notice?.value);
  return row;
}

function templateOf(notice) {
  const what = notice?.what === 'role' && notice.value !== 'owner' ? 'role-member' : notice?.what;
  const id = `notice-${what}-template`;
  return document.getElementById(id) ? id : 'notice-unknown-template';
}
