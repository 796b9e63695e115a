/** What an open conversation needs later than at its first view, in one file: history, quotes, reactions, words. */

export { showExtras } from './bubble-extras.js';
export { showCompleteness } from './completeness-words.js';
export { MessageHistory } from './message-history.js';
export { goTo, ring } from './quote.js';
export { showRoom } from './room-header.js';
export { addRovingTabindex } from './roving-tabindex.js';
