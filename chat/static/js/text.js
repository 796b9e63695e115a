/** The texts of messages, as they are sent and as a preview shows them. */

import { filesInWords } from './file-words.js';
import { plainWords } from './formatter.js';
import { gettext, language } from './i18n.js';

const MAX_PREVIEW_LENGTH = 120; // UTF-16 units, as `length` counts them

/** A text without the blank lines before it and the blanks after it, as the server stores it. The first line keeps its indent. */
export function trimmed(text) {
  const kept = text.trimEnd();
  const blankLength = kept.length - kept.trimStart().length;
  return kept.slice(kept.slice(0, blankLength).lastIndexOf('\n') + 1);
}

/** The beginning of a text, cut between characters as a reader sees them, and not within an emoji. */
export function shortened(text) {
  if (text.length <= MAX_PREVIEW_LENGTH) return text;
  const start = text.slice(0, 2 * MAX_PREVIEW_LENGTH);
  let end = 0;
  for (const { index, segment } of new Intl.Segmenter(language).segment(start)) {
    if (index + segment.length > MAX_PREVIEW_LENGTH) break;
    end = index + segment.length;
  }
  // A first character that is longer than the limit is cut all the same, but no half of a surrogate pair is left.
  return text.slice(0, end || MAX_PREVIEW_LENGTH).replace(/\p{Cs}$/u, '');
}

/** What stands in the place of a text that was deleted. */
export const deletedWords = () => gettext('This message was deleted.');

/** A message in short, without its sender. */
export const shortWords = ({ message, deleted, files }) => (deleted ? deletedWords() : shortened(plainWords(message)) || filesInWords(files));
