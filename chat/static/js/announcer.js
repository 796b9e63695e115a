/** Tells a screen reader what comes in: a few messages at once by their text, more of them by their number. */

import { ngettext } from './i18n.js';
import { find } from './page.js';

const COLLECT_MS = 1_000;
const MAX_ANNOUNCED_ONE_BY_ONE = 3; // messages

const announcer = find('#announcer');
const collected = [];

/** Announces a message, together with those that come within a second. */
export function announce(message) {
  collected.push(message);
  if (collected.length === 1) setTimeout(sayCollected, COLLECT_MS);
}

function sayCollected() {
  const lines = collected.length > MAX_ANNOUNCED_ONE_BY_ONE
    ? [ngettext('%(num)s new message', '%(num)s new messages', collected.length)]
    : collected.map(({ sender, message }) => `${sender}: ${message}`);
  collected.length = 0;
  say(...lines);
}

export function say(...lines) {
  announcer.replaceChildren(...lines.map((line) => Object.assign(document.createElement('p'), { textContent: line })));
}
