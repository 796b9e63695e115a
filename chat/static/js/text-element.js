/** The element that shows the text of a message, and what goes with it in its row. */

import { find } from './page.js';

/** What was written. The element keeps it where what is shown is something else. */
export const sourceOf = (element) => element.dataset.source ?? element.textContent;

/** Takes a text away, with what goes with it. */
export function clearText(element) {
  delete element.dataset.source;
  delete element.dataset.mentions;
  find('[data-fold]', element.parentElement)?.remove();
  element.closest('li')?.removeAttribute('data-emoji');
  element.replaceChildren();
}
