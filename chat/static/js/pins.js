/** The list of what is pinned, in the panel of a conversation or on a page of its own. */

import { showAge } from './dates.js';
import { filesInWords } from './file-words.js';
import { plainWords, showWords } from './formatter.js';
import { request } from './http.js';
import { formatNumber, gettext } from './i18n.js';
import { debounce, find, fromTemplate, me, part, setText } from './page.js';
import { released } from './press.js';

const REFRESH_PAUSE_MS = 300;

const refreshSoon = debounce(REFRESH_PAUSE_MS, refresh);

/** A message of a conversation has changed: fetches its pins anew, if they are on the page. `isOpen`: the panel is that of this conversation. */
export function refreshPins(conversationId, isOpen) {
  const place = find('#pins');
  if (place && (isOpen || place.dataset.conversationId === String(conversationId))) refreshSoon(place, conversationId);
}

async function refresh(place, conversationId) {
  const url = `/conversations/${conversationId}/pins`;
  const answer = await request(url, 'application/json').then((page) => page.json()).catch(() => null);
  if (answer) await released(place);
  if (!answer || !place.isConnected) return;
  const focused = document.activeElement.closest('.pin')?.dataset.seq;
  place.toggleAttribute('data-empty', !answer.messages.length);
  setText(part(place, 'pin-count'), formatNumber(answer.messages.length));
  part(place, 'pin-list').replaceChildren(...answer.messages.map((message) => makePin(message, place.dataset.pageUrl)));
  if (focused) (find(`.pin[data-seq="${focused}"]`, place) ?? find('#info-title') ?? find('h1')).focus({ preventScroll: true });
}

function makePin({ seq, sender, senderId, message, files, timestamp }, pageUrl) {
  const item = fromTemplate('pin-template');
  const link = find('.pin', item);
  Object.assign(link, { href: `${pageUrl}?at=${seq}#message-${seq}` }).dataset.seq = seq;
  showWords(part(item, 'pin-text'), message, () => plainWords(message) || filesInWords(files));
  setText(part(item, 'pin-sender'), senderId === me.id ? gettext('You') : sender);
  part(item, 'time').dateTime = timestamp;
  showAge(part(item, 'time'));
  return item;
}
