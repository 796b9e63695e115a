/** What an open conversation needs later than at its first view, in one file: history, quotes, reactions, words, drafts. */

export { showExtras } from './bubble-extras.js';
export { showRoom } from './composer-counter.js';
export { DraftSync } from './draft-sync.js';
export { MessageHistory } from './message-history.js';
export { goTo, ring } from './quote.js';
export { showRoomHeader } from './room-header.js';
export { addRovingTabindex } from './roving-tabindex.js';
