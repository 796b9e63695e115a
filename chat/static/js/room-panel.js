/** The panel about a room while it is open: who is in it, what it is called, and of what its reader is notified. */

import { requestPage } from './http.js';
import { isChanged, putPanel } from './info-panel.js';
import { arrangeCards } from './list-pages.js';
import { debounce, find, findAll, part, setText } from './page.js';
import { released } from './press.js';

const REFRESH_PAUSE_MS = 500; // those who come at once are fetched at once

let waiting = null; // a panel that is fetched once its field is left

/** Shows of what the reader is notified. */
export function showNotify(level) {
  for (const button of findAll('#info-panel .segments button')) button.ariaPressed = String(button.value === level);
}

/** Whether somebody is at a field of the panel, or has left one changed: what they wrote would be lost. */
function isWrittenIn(panel) {
  return Boolean(document.activeElement.closest('#info-panel input')) || findAll('input', panel).some(isChanged);
}

/** Fetches the panel once its field is left. */
function fetchLater(section, panel) {
  if (panel === waiting) return;
  waiting = panel;
  panel.addEventListener('focusout', () => setTimeout(() => { // by then the next field has the focus
    waiting = null;
    if (panel.isConnected) fetchPanel(section);
  }), { once: true });
}

/** Fetches the whole panel anew. While somebody writes in it, only what changes in it is fetched. */
export async function fetchPanel(section) {
  const panel = find('#info-panel');
  if (isWrittenIn(panel)) {
    fetchLater(section, panel);
    return refreshPart(section);
  }
  const page = await requestPage(location.href).catch(() => null);
  await released(panel);
  if (!page || !find('#info-panel', page) || !panel.isConnected) return;
  if (isWrittenIn(panel)) return fetchLater(section, panel);
  const hasFocus = panel.contains(document.activeElement);
  showTile(section, find('#conversation', page));
  putPanel(page);
  if (hasFocus) find('#info-title').focus({ preventScroll: true });
}

/** Fetches what changes in the panel, and the picture of the header. */
export const refreshPart = debounce(REFRESH_PAUSE_MS, async (section) => {
  const after = new URLSearchParams(location.search).get('after');
  const page = await requestPage(`/rooms/${section.dataset.roomId}?${new URLSearchParams({ part: '', ...(after && { after }) })}`).catch(() => null);
  if (!page || !find('#members', page) || !section.isConnected) return; // who is no member any more gets another page, and is led away
  showTile(section, page);
  const panel = find('#info-panel');
  if (panel) await released(panel);
  if (!panel?.isConnected) return; // a newer one is there
  find('.info-about', panel).replaceWith(find('.info-about', page));
  setText(part(panel, 'member-count'), part(page, 'member-count').textContent);
  showMembers(find('#members', panel), find('#members', page));
});

/** Shows in the header the picture of the room that `root` has. */
function showTile(section, root) {
  const tile = part(root, 'tile').cloneNode(true);
  tile.className = 'tile';
  part(section, 'tile').replaceWith(tile);
}

/** Brings the list up to date. Who is in it as before keeps the element: a menu stays open, and the focus where it is. */
function showMembers(list, fresh) {
  const focused = document.activeElement;
  const rows = findAll('li', fresh).map((row) => {
    const known = find(`li[data-user-id="${row.dataset.userId}"]`, list);
    return known && isSame(known, row) ? known : row;
  });
  arrangeCards(list, rows);
  showMore(list, linkAfter(list), linkAfter(fresh));
  if (!focused.isConnected) find('#info-title')?.focus({ preventScroll: true });
}

/** Lets the link below the list lead to the members that follow now. */
function showMore(list, known, link) {
  if (known && link) known.setAttribute('href', link.getAttribute('href'));
  else if (link) list.after(link);
  else known?.remove();
}

const linkAfter = ({ nextElementSibling: next }) => (next?.matches('a') ? next : null);
const isSame = (row, other) => row.dataset.role === other.dataset.role && Boolean(find('details', row)) === Boolean(find('details', other));
