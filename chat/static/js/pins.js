/** The list of what is pinned, in the panel of a conversation. */

import { showAge } from './dates.js';
import { plainWords } from './formatter.js';
import { request } from './http.js';
import { formatNumber, gettext } from './i18n.js';
import { debounce, find, fromTemplate, me, part, setText } from './page.js';

const REFRESH_PAUSE_MS = 300;

const refreshSoon = debounce(REFRESH_PAUSE_MS, refresh);

/** Fetches the pins of the conversation in `section` anew, if they are on the page. */
export function refreshPins(section) {
  if (find('#pins')) refreshSoon(section);
}

async function refresh(section) {
  const url = `/conversations/${section.dataset.conversationId}/pins`;
  const answer = await request(url, 'application/json').then((page) => page.json()).catch(() => null);
  const place = find('#pins');
  if (!answer || !place || !section.isConnected) return;
  const focused = document.activeElement.closest('.pin')?.dataset.seq;
  place.toggleAttribute('data-empty', !answer.messages.length);
  setText(part(place, 'pin-count'), formatNumber(answer.messages.length));
  part(place, 'pin-list').replaceChildren(...answer.messages.map(makePin));
  if (focused) (find(`.pin[data-seq="${focused}"]`, place) ?? find('#info-title')).focus({ preventScroll: true });
}

function makePin({ seq, sender, senderId, message, timestamp }) {
  const item = fromTemplate('pin-template');
  const link = find('.pin', item);
  Object.assign(link, { href: `?at=${seq}#message-${seq}` }).dataset.seq = seq;
  setText(part(item, 'pin-text'), plainWords(message));
  setText(part(item, 'pin-sender'), senderId === me.id ? gettext('You') : sender);
  part(item, 'time').dateTime = timestamp;
  showAge(part(item, 'time'));
  return item;
}
