/** The keys of the page: Ctrl+K to the search, Escape back, Alt with an arrow through the conversations. */

import { loadPageMore } from './load-page-more.js';
import { isComposing } from './page.js';

export function initKeyboard(lists, navigation) {
  document.addEventListener('keydown', (event) => {
    if (isComposing(event) || event.defaultPrevented) return;
    const action = actionOf(event);
    if (!action) return;
    event.preventDefault();
    loadPageMore().then(({ keys }) => keys[action](event, lists, navigation), () => {});
  });
}

/** The name of what a key does, one of page-keys.js. */
function actionOf(event) {
  const { key, altKey, ctrlKey, metaKey } = event;
  if ((ctrlKey || metaKey) && !altKey && isK(event)) return 'goToSearch';
  if (key === 'Escape') return 'goBack';
  return altKey && { ArrowUp: 'goUp', ArrowDown: 'goDown' }[key];
}

/** Whether the key is K. On a layout without Latin letters it is the key in the place of K. */
const isK = ({ key, code }) => (/\p{Script=Latin}/u.test(key) ? key.toLowerCase() === 'k' : code === 'KeyK');
