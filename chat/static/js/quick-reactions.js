/** Six reactions at hand, and the way to all others. */

import { moveByArrow } from './arrow-keys.js';
import { findAll, fromTemplate } from './page.js';
import { ownReactions } from './reactions.js';

/** Makes the bar for the message in `row`. `onPick(emoji)` is called for one of the six, `onMore()` for the last button. */
export function makeQuickReactions(row, { onPick, onMore }) {
  const bar = fromTemplate('quick-reactions-template');
  const own = ownReactions(row);
  const buttons = findAll('.quick', bar);
  buttons.forEach((button, at) => {
    button.tabIndex = at ? -1 : 0;
    if (button.dataset.emoji) button.ariaPressed = own.includes(button.dataset.emoji);
  });
  bar.addEventListener('keydown', (event) => moveByArrow(event, bar, '.quick'));
  bar.addEventListener('click', ({ target }) => {
    const button = target.closest('.quick');
    if (button?.dataset.emoji) onPick(button.dataset.emoji);
    else if (button) onMore();
  });
  return bar;
}
