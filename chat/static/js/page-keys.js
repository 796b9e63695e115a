/** What the keys of the page do (keyboard.js). */

import { closeOwnMenu } from './own-menu.js';

export async function goToSearch(_event, { search }, navigation) {
  if (isHidden(search.field)) await navigation.goHome();
  search.field.focus();
  search.field.select();
}

export function goBack({ target }, lists, navigation) {
  const { conversation } = navigation;
  if (closeOwnMenu()) return;
  if (target === lists.search.field) {
    lists.search.clear();
    conversation?.composer.focus();
  } else if (conversation) {
    const link = lists.card(conversation.key)?.querySelector('a');
    if (!link || isHidden(link)) navigation.goHome();
    else link.focus();
  }
}

export const goUp = (_event, lists) => lists.neighbour(-1)?.click();
export const goDown = (_event, lists) => lists.neighbour(1)?.click();

const isHidden = (element) => element.getClientRects().length === 0;
