/** What can change of a message that is on the page: that it was edited, deleted or pinned, its quote and its reactions. */

import { loadConversationMore } from './load-conversation-more.js';
import { find, fromTemplate, part } from './page.js';
import { clearText } from './text-element.js';

let extras = null; // the module, once it is there
const waiting = new WeakMap(); // row → {replyTo, reactions}, to be shown when it has come

/** Shows these parts of a message in its row, which the server or `makeBubble` has made. The text is shown before this is called. */
export function showParts(row, { seq, lastChange = 0, replyTo = null, editedAt = null, deleted = false, pinned = false, reactions = [] }) {
  if (seq) row.id = `message-${seq}`;
  row.dataset.lastChange = lastChange;
  row.toggleAttribute('data-deleted', deleted);
  row.toggleAttribute('data-pinned', pinned);
  if (deleted) showDeleted(part(row, 'text'));
  showMark(row, 'edited', Boolean(editedAt) && !deleted);
  if (part(row, 'edited')) part(row, 'edited').dateTime = editedAt;
  showMark(row, 'pinned', pinned);
  showExtras(row, { replyTo, reactions });
}

/** Shows the quote and the reactions, by a module that is loaded later: most messages have neither. */
export function showExtras(row, shown) {
  const isNeeded = shown.replyTo || shown.reactions?.length || part(row, 'quote') || part(row, 'reactions');
  if (!isNeeded && !waiting.has(row)) return;
  if (extras) return extras.showExtras(row, shown);
  waiting.set(row, { ...waiting.get(row), ...shown });
  loadConversationMore().then((module) => {
    extras = module;
    if (waiting.has(row)) extras.showExtras(row, waiting.get(row));
    waiting.delete(row);
  }, () => {});
}

/** The text of a deleted message is nowhere: its place says so. */
function showDeleted(text) {
  if (find('.deleted', text)) return;
  clearText(text);
  text.append(fromTemplate('deleted-template'));
}

/** The marks stand before the time. */
function showMark(row, name, isShown) {
  const mark = part(row, name);
  if (!isShown) mark?.remove();
  else if (!mark) find('footer', row).prepend(fromTemplate(`${name}-template`));
}
