/** How the lists of rooms and people take in what the server has rendered: a card that is there stays, for it may have the focus or be pressed. */

import { find } from './page.js';
import { lastSeqOf } from './person-card.js';

/**
 * Brings the card `known` up to date with a fresh one by `update(known, fresh)`, and returns it; the fresh one if there is none. `list`
 * is asked anew if a message has come since the server answered: what was shown of it stays.
 */
export function mergeCard(list, known, fresh, update) {
  if (!known) return fresh;
  if (lastSeqOf(fresh) < lastSeqOf(known)) list.refreshSoon();
  else update(known, fresh);
  return known;
}

/** Shows just `cards` in the element `list`, in that order. Only what is elsewhere is moved, and the focus stays. */
export function arrangeCards(list, cards) {
  const focused = document.activeElement;
  const wanted = new Set(cards);
  for (const child of [...list.children]) if (!wanted.has(child)) child.remove();
  cards.forEach((card, index) => {
    if (list.children[index] !== card) list.insertBefore(card, list.children[index] ?? null);
  });
  if (list.contains(focused) && focused !== document.activeElement) focused.focus({ preventScroll: true });
}

/**
 * Lets the link `known` below a list lead where `link` leads, and returns it; the link itself goes into `place` if there was none. Where
 * nothing follows, there is none any more: the focus goes to `next`, the first card that it has brought.
 */
export function putLink(known, link, place, next) {
  if (known && link) {
    known.setAttribute('href', link.getAttribute('href'));
    return known;
  }
  const hadFocus = known && known === document.activeElement;
  known?.remove();
  if (link) place.append(link);
  else if (hadFocus && next) find('a', next).focus({ preventScroll: true });
  return link;
}
