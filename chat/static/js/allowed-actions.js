/** Which actions a message and its reader allow. Their names are those of the buttons `[data-action]`. */

import { find, findAll } from './page.js';

/** Returns the names for the message in `row` of the conversation in `section`. The server decides; this is what is worth asking for. */
export function allowedActions(row, section) {
  const isMine = row.matches('.mine');
  const isDeleted = 'deleted' in row.dataset;
  const isArchived = find('#composer', section).hidden;
  const isOpen = !isDeleted && !isArchived && row.dataset.state !== 'failed';
  const isAllowed = {
    react: isOpen,
    reply: isOpen,
    edit: isOpen && isMine,
    copy: !isDeleted && row.dataset.files !== 'images', // these have no text
    pin: isOpen && !('pinned' in row.dataset),
    unpin: isOpen && 'pinned' in row.dataset,
    unread: Boolean(row.dataset.seq) && !isMine,
    details: true,
    delete: isOpen && (isMine || section.dataset.role === 'owner'),
  };
  return new Set(Object.keys(isAllowed).filter((name) => isAllowed[name]));
}

/** Leaves of the buttons in `root` those that are `allowed`, and no line at the end of them. */
export function keepAllowed(root, allowed) {
  for (const button of findAll('[data-action]', root)) {
    if (!allowed.has(button.dataset.action)) button.remove();
  }
  find('hr:last-child', root)?.remove();
}
