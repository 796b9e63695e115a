/** Texts of messages, as they are sent and as a preview shows them. */

import { language } from './i18n.js';

const MAX_PREVIEW_LENGTH = 120; // UTF-16 units, as `length` counts them

/** A text without the blank lines before it and what is blank after it: the server's rule. An indent is part of a text. */
export function trimmed(text) {
  const kept = text.trimEnd();
  const indented = kept.length - kept.trimStart().length;
  return kept.slice(kept.slice(0, indented).lastIndexOf('\n') + 1);
}

/** The beginning of a text, in characters as a reader sees them: no emoji is cut in the middle. */
export function shortened(text) {
  if (text.length <= MAX_PREVIEW_LENGTH) return text;
  const start = text.slice(0, 2 * MAX_PREVIEW_LENGTH);
  let end = 0;
  for (const { index, segment } of new Intl.Segmenter(language).segment(start)) {
    if (index + segment.length > MAX_PREVIEW_LENGTH) break;
    end = index + segment.length;
  }
  return text.slice(0, end || MAX_PREVIEW_LENGTH).replace(/\p{Cs}$/u, ''); // one that is longer still is cut
}
