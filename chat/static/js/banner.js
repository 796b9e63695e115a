/** The banner: how the connection is, what this browser does not store, and for a moment what could not be done. */

import { gettext } from './i18n.js';
import { find, setText } from './page.js';

const RECONNECTING_MS = 1_000; // an interruption that is shorter is not shown
const BACK_MS = 3_000;
const NOTICE_MS = 6_000;

const banner = find('#connection');
const storageWarnings = new Set(); // sentences
let status = '';
let isLost = false;
let statusTimer;
let noticeTimer = null; // while a notice is shown
let underNotice = ['', '']; // the state and the text that are shown again when a notice has been read

/** Whether the banner says that there is no connection. */
export const isConnectionLost = () => isLost;

/**
 * Shows a status of the connection as socket.js gives it, with the words of a refusal. Calls `onLost()` when the
 * banner says that there is no connection.
 */
export function showConnection(newStatus, refusal, onLost) {
  if (newStatus === status && (!refusal || refusal === underNotice[1])) return;
  status = newStatus;
  banner.dataset.connection = status;
  clearTimeout(statusTimer);
  isLost &&= status !== 'online';
  const showLoss = (state, text) => {
    isLost = true;
    onLost();
    show(state, text);
  };
  if (status === 'offline') {
    showLoss('offline', gettext('You are offline. What you write will be sent when the network is back.'));
  } else if (status === 'refused') {
    showLoss('offline', refusal);
  } else if (status === 'reconnecting') {
    statusTimer = setTimeout(() => showLoss('reconnecting', gettext('Reconnecting…')), RECONNECTING_MS);
  } else if (banner.textContent && banner.dataset.state !== 'warning') {
    show('back', gettext('You are back online.'));
    statusTimer = setTimeout(showStorageWarnings, BACK_MS);
  } else {
    showStorageWarnings();
  }
}

/** Warns of something that this browser does not store. What the connection has to say is more urgent: then it waits. */
export function warnOfStorage(sentence) {
  storageWarnings.add(sentence);
  if (!banner.textContent || banner.dataset.state === 'warning') showStorageWarnings();
}

function showStorageWarnings() {
  show('warning', [...storageWarnings].join(' '));
}

/** Shows for `durationMs` what could not be done, and then again what was shown before. */
export function showNotice(text, durationMs = NOTICE_MS) {
  paint('warning', text);
  clearTimeout(noticeTimer);
  noticeTimer = setTimeout(() => {
    noticeTimer = null;
    paint(...underNotice);
  }, durationMs);
}

function show(state, text) {
  underNotice = [state, text];
  if (noticeTimer && !isLost) return; // that the connection is back is no reason to hide what was refused then
  clearTimeout(noticeTimer);
  noticeTimer = null;
  paint(state, text);
}

function paint(state, text) {
  banner.dataset.state = state;
  setText(banner, text);
}
