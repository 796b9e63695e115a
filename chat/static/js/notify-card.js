/**
 * The card that asks whether the person wants notifications. The browser's own question comes only from a press on it:
 * one that comes unasked is refused for good by most.
 */

import { find, fromTemplate, me } from './page.js';

const DECLINED = `notify-declined:${me.id}`; // in the browser's storage
const NEEDS_SERVICE_WORKER = /Android.*Chrome/.test(navigator.userAgent); // these have no notifications of a tab

const place = find('#notify-place');
let wasClosed = false; // on this page

function isDeclined() {
  try {
    return localStorage.getItem(DECLINED) !== null;
  } catch {
    return false;
  }
}

function decline() {
  try {
    localStorage.setItem(DECLINED, 'yes');
  } catch {
    // Where storage is closed, "Not now" is kept as long as the page.
  }
}

/**
 * Shows the card, unless it is there, was answered, or nothing could come of it. `onDecided()` is called when it was
 * answered, `onLeft()` when the focus, which was in it, has to go elsewhere.
 */
export function showCard(onDecided, onLeft) {
  if (place.firstChild || wasClosed || isDeclined() || NEEDS_SERVICE_WORKER || !isSecureContext) return;
  const card = fromTemplate('notify-template');
  const close = () => {
    const hadFocus = card.contains(document.activeElement);
    hideCard();
    if (hadFocus) onLeft();
  };
  card.addEventListener('click', async ({ target }) => {
    const action = target.closest('[data-action]')?.dataset.action;
    if (!action) return;
    const answer = action === 'notify' ? Notification.requestPermission() : null; // at once: the browser wants to see a press
    if (action === 'decline') decline();
    close();
    await answer;
    if (action !== 'close') onDecided();
  });
  card.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    event.preventDefault();
    event.stopPropagation(); // the page would go back (keyboard.js)
    close();
  });
  place.append(card);
}

/** Takes the card away: it was answered, here or in another tab. */
export function hideCard() {
  wasClosed = true;
  place.replaceChildren();
}
