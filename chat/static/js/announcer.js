/** Tells a screen reader what happens. What comes in: announcements.js. */

import { find } from './page.js';

const KEPT_MS = 10_000; // by then it has been taken up to be read aloud; a text that is deleted later must not stay here

const announcer = find('#announcer');
let timer;

/** Says each line. Returns what stands for them on the page until they have been said: `remove()` takes one away before. */
export function say(...lines) {
  const said = lines.map((line) => Object.assign(document.createElement('p'), { textContent: line }));
  announcer.replaceChildren(...said);
  clearTimeout(timer);
  timer = setTimeout(() => announcer.replaceChildren(), KEPT_MS);
  return said;
}
