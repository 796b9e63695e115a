/** The menu under one's own name. It closes with a click or the focus elsewhere. */

import { find, pathOf } from './page.js';

const menu = find('#own-menu');

document.addEventListener('click', ({ target }) => {
  if (!menu.contains(target)) menu.open = false;
});
menu.addEventListener('focusout', ({ relatedTarget }) => {
  if (relatedTarget && !menu.contains(relatedTarget)) menu.open = false;
});
// Its first form leads back to the page that is shown, which may have changed since the menu was rendered.
find('form', menu).addEventListener('submit', ({ target }) => {
  target.elements.next.value = pathOf(location);
});

/** Closes the menu, and returns whether it was open. */
export function closeOwnMenu() {
  if (!menu.open) return false;
  menu.open = false;
  find('summary', menu).focus();
  return true;
}
