/** Whether all messages of a conversation are on the page. How that is said: completeness-words.js. */

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
