/** The files of messages, where a page begins: what draws and chooses them is loaded later (files-more.js). */

import { loadStyles } from './later-styles.js';
import { later } from './later.js';
import { isPlainClick, part } from './page.js';

let view = null; // the module, once it is there
const waiting = new Map(); // row → its message, until then

/** Resolves to the module. */
export const loadFiles = later(async () => {
  const [module] = await Promise.all([import('./files-more.js'), loadStyles('files')]);
  view = module;
  for (const [row, message] of waiting) view.showFiles(row, message);
  waiting.clear();
  return view;
});

/** Shows the files of a message in its row, or that it has none any more. */
export function showFiles(row, message) {
  if (!part(row, 'files') && !message.files?.length) return;
  if (view) return view.showFiles(row, message);
  waiting.set(row, message);
  loadFiles().catch(() => {});
}

/** Shows the files of an entry of the outbox in its row: their contents, which `blobOf(clientId)` resolves to, and how much is there. */
export function showWaiting(row, entry, blobOf, loaded) {
  loadFiles().then((module) => {
    module.showContents(row, blobOf);
    module.showUpload(row, entry, loaded);
  }, () => {});
}

/** Rows have left the page. */
export const releaseFiles = () => view?.releaseGone();

const loadGestures = () => import('./file-gestures.js');

for (const type of ['pointerover', 'focusin']) {
  document.addEventListener(type, ({ target }) => {
    const image = target.closest?.('.image[data-animated]');
    if (image) loadGestures().then(({ setMoving }) => setMoving(image, true), () => {});
  });
}

/** A press on an image opens it, one on a recording plays it. Without this script they are a link, and a player of the browser. */
document.addEventListener('click', async (event) => {
  const target = event.target.closest?.('.image[href]:not(.image-more), [data-action="play"]');
  if (!target || !isPlainClick(event)) return;
  event.preventDefault();
  const gestures = await loadGestures().catch(() => null);
  if (gestures) gestures.pressed(target);
  else if (target.href) location.assign(target.href);
});
