/** Two texts of one message to choose from: one's own, and the one that was written elsewhere meanwhile. */

import { gettext } from './i18n.js';
import { find, fromTemplate, part, setText } from './page.js';

/** `mine` and `theirs` are texts; `keepMine()` and `takeTheirs()` are called when one is chosen. Without a conflict `reason` says why. */
export function makeConflictCard({ mine, theirs, reason, isConflict, keepMine, takeTheirs }) {
  const card = fromTemplate('conflict-template');
  const words = isConflict ? gettext('This message was edited elsewhere meanwhile.') : gettext('Your edit was not saved: %(reason)s', { reason });
  setText(part(card, 'conflict-title'), words);
  setText(part(card, 'mine'), mine);
  setText(part(card, 'theirs'), theirs);
  find('[data-action="keep-mine"]', card).addEventListener('click', keepMine);
  find('[data-action="take-theirs"]', card).addEventListener('click', takeTheirs);
  return card;
}
