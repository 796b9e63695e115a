/** The panel about a room while it is open: who is in it, what it is called, and of what its reader is notified. */

import { requestPage } from './http.js';
import { putPanel } from './info-panel.js';
import { debounce, find, findAll, part, setText } from './page.js';

const REFRESH_PAUSE_MS = 500; // those who come at once are fetched at once

let waiting = null; // a panel that is fetched once its field is left

/** Shows of what the reader is notified. */
export function showNotify(level) {
  for (const button of findAll('#info-panel .segments button')) button.ariaPressed = String(button.value === level);
}

/** Whether somebody is at a field of the panel, or has left one changed: what they wrote would be lost. */
function isWrittenIn(panel) {
  const isChanged = ({ value, defaultValue, checked, defaultChecked }) => value !== defaultValue || checked !== defaultChecked;
  return Boolean(document.activeElement.closest('#info-panel input')) || findAll('input', panel).some(isChanged);
}

/** Fetches the panel once its field is left. */
function fetchLater(panel) {
  if (panel === waiting) return;
  waiting = panel;
  panel.addEventListener('focusout', () => setTimeout(() => { // by then the next field has the focus
    waiting = null;
    if (panel.isConnected) fetchPanel();
  }), { once: true });
}

/** Fetches the whole panel anew, where it is open, when nobody writes in it. */
export async function fetchPanel() {
  const panel = find('#info-panel');
  if (!panel) return;
  if (isWrittenIn(panel)) return fetchLater(panel);
  const page = await requestPage(location.href).catch(() => null);
  if (!page || !panel.isConnected) return;
  if (isWrittenIn(panel)) return fetchLater(panel);
  const hasFocus = panel.contains(document.activeElement);
  putPanel(page);
  if (hasFocus) find('#info-title')?.focus({ preventScroll: true });
}

/** Fetches what changes in the panel, and the picture of the header. */
export const refreshPart = debounce(REFRESH_PAUSE_MS, async (section) => {
  const after = new URLSearchParams(location.search).get('after');
  const page = await requestPage(`/rooms/${section.dataset.roomId}?${new URLSearchParams({ part: '', ...(after && { after }) })}`).catch(() => null);
  if (!page || !section.isConnected) return;
  const tile = part(page, 'tile').cloneNode(true);
  tile.className = 'tile';
  part(section, 'tile').replaceWith(tile);
  const panel = find('#info-panel');
  if (!panel) return;
  find('.info-about', panel).replaceWith(find('.info-about', page));
  setText(part(panel, 'member-count'), part(page, 'member-count').textContent);
  showMembers(find('#members', panel), find('#members', page));
});

/** Brings the list up to date. Who is in it as before keeps the element: a menu stays open, and the focus where it is. */
function showMembers(list, fresh) {
  const focused = document.activeElement;
  const rows = findAll('li', fresh).map((row) => {
    const known = find(`li[data-user-id="${row.dataset.userId}"]`, list);
    return known && isSame(known, row) ? known : row;
  });
  const gone = focused.closest('#members > li') && !rows.some((row) => row.contains(focused));
  list.replaceChildren(...rows);
  const more = list.nextElementSibling?.matches('a') ? list.nextElementSibling : null;
  more?.remove();
  if (fresh.nextElementSibling) list.after(fresh.nextElementSibling);
  if (gone) find('#info-title')?.focus({ preventScroll: true });
  else if (list.contains(focused)) focused.focus({ preventScroll: true });
}

const isSame = (row, other) => row.dataset.role === other.dataset.role && Boolean(find('details', row)) === Boolean(find('details', other));
