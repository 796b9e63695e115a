/** What every page needs later than at its first view, in one file: other pages, the search, keys, words, logging out. */

export { announce, retract } from './announcements.js';
export { CardNotes } from './card-notes.js';
export { logOut } from './logout.js';
export { refreshPage, showOnPage } from './page-changes.js';
export * as keys from './page-keys.js';
export { PeopleFilter } from './people-filter.js';
export { PeoplePages } from './people-pages.js';
export { refusalWords } from './refusal.js';
export { RoomPages } from './room-pages.js';
export { RoomTyping } from './room-typing.js';
export { Visits } from './visits.js';
