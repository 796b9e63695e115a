/** The reactions of a message: a chip for each emoji, in the order of their first use. Those of one's own are pressed. */

import { find, findAll, fromTemplate, me, part } from './page.js';

const CHIP = '.chip[data-emoji]';

/** The emoji that the reader has reacted with in a row. */
export const ownReactions = (row) => findAll(`${CHIP}[aria-pressed="true"]`, row).map((chip) => chip.dataset.emoji);

/** Shows reactions `[{emoji, userIds}]` in a row. Chips that stay are kept: one of them may have the focus. */
export function showReactions(row, reactions) {
  const known = part(row, 'reactions');
  if (!reactions.length) return removeChips(row, known);
  const list = known ?? fromTemplate('reactions-template');
  const [blank] = known ? [] : findAll('li', list);
  blank?.remove();
  const wanted = new Set(reactions.map(({ emoji }) => emoji));
  for (const chip of findAll(CHIP, list)) {
    if (!wanted.has(chip.dataset.emoji)) removeChip(chip);
  }
  const { tabIndex } = part(row, 'details'); // in the Tab order are those of the message that has the focus
  reactions.forEach((reaction, place) => putChip(list, reaction, place, row.isConnected));
  for (const chip of findAll('.chip', list)) chip.tabIndex = tabIndex;
  if (!known) find('article', row).after(list);
}

function putChip(list, { emoji, userIds }, place, isNew) {
  let item = find(`[data-emoji="${CSS.escape(emoji)}"]`, list)?.parentElement;
  if (!item) {
    item = find('li', fromTemplate('reactions-template'));
    const chip = find('.chip', item);
    chip.dataset.emoji = find('span', chip).textContent = emoji;
    chip.toggleAttribute('data-new', isNew);
  }
  const chip = item.firstElementChild;
  chip.dataset.userIds = userIds.join();
  chip.ariaPressed = userIds.includes(me.id);
  const count = ` ${userIds.length}`;
  if (chip.lastChild.data !== count) chip.lastChild.data = count;
  if (list.children[place] !== item) list.insertBefore(item, list.children[place] ?? null);
}

/** The focus goes to the neighbour, or to the time where no chip is left. */
function removeChip(chip) {
  const item = chip.parentElement;
  if (chip === document.activeElement) item.nextElementSibling?.firstElementChild.focus({ preventScroll: true });
  item.remove();
}

function removeChips(row, list) {
  if (list?.contains(document.activeElement)) part(row, 'details')?.focus({ preventScroll: true });
  list?.remove();
}
