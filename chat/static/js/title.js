/** The title of the window: that of the page, with "(3)" before it while three messages are unread. */

import { badge } from './i18n.js';

let pageTitle = document.title;
let unreadTotal = 0;

export function setPageTitle(title) {
  pageTitle = title;
  show();
}

export function setUnreadTotal(total) {
  unreadTotal = total;
  show();
}

function show() {
  document.title = unreadTotal ? `(${badge(unreadTotal)}) ${pageTitle}` : pageTitle;
}
