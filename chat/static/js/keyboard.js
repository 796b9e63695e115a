/** The keys of the page: Ctrl+K to the search, Escape back, Alt with an arrow through the conversations. */

import { closeOwnMenu } from './own-menu.js';
import { isComposing } from './page.js';

export function initKeyboard(lists, navigation) {
  const goToSearch = async () => {
    if (isHidden(lists.search.field)) await navigation.goHome();
    lists.search.field.focus();
    lists.search.field.select();
  };

  const goBack = (event) => {
    const { conversation } = navigation;
    if (closeOwnMenu()) return;
    if (event.target === lists.search.field) {
      lists.search.clear();
      conversation?.composer.focus();
    } else if (conversation) {
      const link = lists.card(conversation.key)?.querySelector('a');
      if (!link || isHidden(link)) navigation.goHome();
      else link.focus();
    }
  };

  document.addEventListener('keydown', (event) => {
    if (isComposing(event) || event.defaultPrevented) return;
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if ((event.ctrlKey || event.metaKey) && !event.altKey && isK(event)) goToSearch();
    else if (event.key === 'Escape') goBack(event);
    else if (event.altKey && step) lists.neighbour(step)?.click();
    else return;
    event.preventDefault();
  });
}

const isHidden = (element) => element.getClientRects().length === 0;

/** Whether the key is K. On a layout without Latin letters it is the key in the place of K. */
const isK = ({ key, code }) => (/\p{Script=Latin}/u.test(key) ? key.toLowerCase() === 'k' : code === 'KeyK');
