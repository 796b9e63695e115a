/** Tells a screen reader what comes in: a few messages at once by their text, more of them by their number. Loaded later. */

import { keyOfMessage } from './address.js';
import { say } from './announcer.js';
import { filesInWords } from './file-words.js';
import { plainWords } from './formatter.js';
import { gettext, ngettext } from './i18n.js';
import { noticeWords } from './notice.js';
import { me, part } from './page.js';
import { newest } from './versions.js';

const COLLECT_MS = 1_000;
const MAX_ANNOUNCED_ONE_BY_ONE = 3; // messages

const collected = [];
let said = []; // [message, what stands for it], of those that were announced last by their text

/** Announces a message, together with those that come within a second. A room that is muted says nothing. */
export function announce(message, lists) {
  const room = message.receiverId === null ? lists.card(keyOfMessage(message, me.id)) : null;
  if (room?.dataset.notify === 'none') return;
  collected.push({ ...message, place: room ? part(room, 'name').textContent : '' });
  if (collected.length === 1) setTimeout(sayCollected, COLLECT_MS);
}

function sayCollected() {
  const messages = collected.splice(0).map(({ place, ...message }) => ({ ...newest(message), place })).filter(({ deleted }) => !deleted);
  said = [];
  if (messages.length > MAX_ANNOUNCED_ONE_BY_ONE) return void say(ngettext('%(num)s new message', '%(num)s new messages', messages.length));
  const lines = messages.map(({ sender, place, ...message }) => lineOf(sender, place, wordsOf({ sender, ...message })));
  say(...lines).forEach((line, index) => said.push([messages[index], line]));
}

/** A message is different now: what was said of it is not there any more. */
export function retract({ conversationId, seq }) {
  said.find(([message]) => message.conversationId === conversationId && message.seq === seq)?.[1].remove();
}

const lineOf = (name, room, message) => (room ? gettext('%(name)s in %(room)s: %(message)s', { name, room, message })
  : gettext('%(name)s: %(message)s', { name, message }));

const wordsOf = (message) => (message.kind === 'text' ? plainWords(message.message) || filesInWords(message.files) : noticeWords(message));
