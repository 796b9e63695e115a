/** Whether all messages of a conversation are on the page, and how that is said. */

import { formatNumber, gettext, ngettext } from './i18n.js';
import { part, setText } from './page.js';

/**
 * What a page holds of a conversation: `{state, first, last, head, missing}`; null while there is nothing to number.
 *
 * `seqs` are read off its rows, ascending, so that a hole would show whatever the log says. `state` is complete,
 * fetching (newer ones are on their way), part (the reader is far up), unchecked (the server has not been heard
 * since the connection was lost) or broken (there is a hole); `missing` counts messages.
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

/** What `completeness` has found, in words. */
export function completenessWords({ state, first, last, head, missing }) {
  const ends = { first: formatNumber(first), last: formatNumber(last) };
  const range = first === last ? ends.last : gettext('%(first)s – %(last)s', ends);
  const words = {
    complete: () => gettext('%(range)s, complete', { range }),
    part: () => gettext('%(range)s of %(head)s', { range, head: formatNumber(head) }),
    unchecked: () => gettext('%(range)s, not checked: offline', { range }),
    fetching: () => ngettext('%(range)s, fetching %(num)s message', '%(range)s, fetching %(num)s messages', missing,
      formatNumber(missing), { range }),
    broken: () => ngettext('%(range)s, %(num)s message missing', '%(range)s, %(num)s messages missing', missing,
      formatNumber(missing), { range }),
  };
  return words[state]();
}

/** The same for a glance: how the conversation stands, without its numbers. */
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
