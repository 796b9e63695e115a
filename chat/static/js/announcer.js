/** Tells a screen reader what happens. What comes in: announcements.js. */

import { find } from './page.js';

const announcer = find('#announcer');

export function say(...lines) {
  announcer.replaceChildren(...lines.map((line) => Object.assign(document.createElement('p'), { textContent: line })));
}
