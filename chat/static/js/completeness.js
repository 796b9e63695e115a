/** Whether all messages of a conversation are on the page, and how that is said. */

import { formatNumber, gettext, ngettext } from './i18n.js';
import { part, setText } from './page.js';

/**
 * Returns `{state, first, last, head, missing}` of what the page holds of a conversation; null if there are no messages.
 *
 * `seqs` are those of the rows in ascending order, so that a missing row is noticed whatever the SeqWindow says. `state`
 * is 'complete', 'fetching' (newer messages are being fetched), 'part' (the reader is far from the newest messages),
 * 'unchecked' (the server has not been heard since the connection was lost) or 'broken' (a row is missing). `missing`
 * counts messages.
 */
export function completeness(seqs, { head, followsEnd }, isChecked = true) {
  const first = seqs[0] ?? 0;
  const last = seqs.at(-1) ?? 0;
  const newest = Math.max(head, last);
  if (newest === 0) return null;
  const holes = seqs.length && last - first + 1 - new Set(seqs).size;
  const missing = holes + (followsEnd ? newest - last : 0);
  let state = 'complete';
  if (holes) state = 'broken';
  else if (!isChecked) state = 'unchecked';
  else if (newest > last) state = followsEnd ? 'fetching' : 'part';
  return { state, first, last, head: newest, missing };
}

/** What `completeness` has found, in words with its numbers. */
export function completenessWords({ state, first, last, head, missing }) {
  const ends = { first: formatNumber(first), last: formatNumber(last) };
  const range = first === last ? ends.last : gettext('%(first)s – %(last)s', ends);
  const words = {
    complete: () => gettext('Messages shown: %(range)s. Up to date.', { range }),
    part: () => gettext('Messages shown: %(range)s of %(head)s.', { range, head: formatNumber(head) }),
    unchecked: () => gettext('Messages shown: %(range)s. Offline.', { range }),
    fetching: () => ngettext('Messages shown: %(range)s. Fetching %(num)s message…',
      'Messages shown: %(range)s. Fetching %(num)s messages…', missing, formatNumber(missing), { range }),
    broken: () => ngettext('Messages shown: %(range)s. %(num)s message missing.',
      'Messages shown: %(range)s. %(num)s messages missing.', missing, formatNumber(missing), { range }),
  };
  return words[state]();
}

/** The same in short. `state` may be 'unsent' too. */
export function completenessSummary({ state, missing }) {
  const words = {
    complete: () => gettext('Up to date'),
    part: () => gettext('Older messages'),
    unchecked: () => gettext('Offline'),
    unsent: () => ngettext('%(num)s not sent', '%(num)s not sent', missing),
    fetching: () => ngettext('Fetching %(num)s message…', 'Fetching %(num)s messages…', missing),
    broken: () => ngettext('%(num)s message missing', '%(num)s messages missing', missing),
  };
  return words[state]();
}

/** Shows in `mark` what `completeness` has found, or that `failedCount` messages were not sent: the graver of the two. */
export function showCompleteness(mark, found, failedCount) {
  mark.hidden = !found && !failedCount;
  if (mark.hidden) return;
  const shown = failedCount && found?.state !== 'unchecked' ? { state: 'unsent', missing: failedCount } : found;
  mark.dataset.state = shown.state;
  mark.title = found ? completenessWords(found) : '';
  setText(part(mark, 'state-words'), completenessSummary(shown));
}
