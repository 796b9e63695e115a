/**
 * How much room is left in a message, in words. Loaded when there is little.
 *
 * The server counts code points, and refuses more than 4,000. People count what they see, grapheme clusters: a letter with its accent, a family
 * of four are one. So what is left is said in characters of one code point, and that some take more is added where there are such. Where
 * a text is too long, the counter says how many characters as people see them are to be deleted at its end until it is not.
 */

import { gettext, language, ngettext } from './i18n.js';
import { loadLaterStyles } from './later-styles.js';
import { setText } from './page.js';

const MAX_LENGTH = 4_000; // code points
const SHOWN_FROM = 3_800; // code points
const SPOKEN = [200, 50, 10, 0]; // when so many are left a screen reader is told

const segmenter = globalThis.Intl?.Segmenter && new Intl.Segmenter(language);

/** The characters of a text as people see them; code points where the browser cannot tell. */
const charactersOf = (text) => (segmenter ? [...segmenter.segment(text)].map(({ segment }) => segment) : [...text]);

/** Returns `{left, over, hasLong}`: code points that are left, characters that are too many, whether some take several code points. */
export function roomIn(text) {
  const characters = charactersOf(text);
  let length = 0; // code points
  let over = 0;
  for (const character of characters) {
    length += [...character].length;
    if (length > MAX_LENGTH) over += 1;
  }
  return { left: Math.max(0, MAX_LENGTH - length), over, hasLong: length > characters.length };
}

export function roomWords({ left, over, hasLong }) {
  if (over) return ngettext('%(num)s character over the limit', '%(num)s characters over the limit', over);
  const words = ngettext('%(num)s character left', '%(num)s characters left', left);
  return hasLong ? gettext('%(words)s · some emoji and letters take several', { words }) : words;
}

/** Where a screen reader is told: the number of limits that have been reached; one more where the text is too long. */
export const levelOf = ({ left, over }) => (over ? SPOKEN.length + 1 : SPOKEN.filter((limit) => left <= limit).length);

const levels = new WeakMap(); // counter → the level that was said last

/** Shows what is left of the text in `field`, if it is little. `say(words)` tells a screen reader now and then, and not with every key. */
export function showRoom(field, counter, say) {
  const text = field.value.trim();
  const room = roomIn(text);
  counter.hidden = !room.over && room.left > MAX_LENGTH - SHOWN_FROM;
  counter.toggleAttribute('data-over', room.over > 0);
  const words = roomWords(room);
  if (!counter.hidden) {
    loadLaterStyles();
    setText(counter, words);
  }
  const level = levelOf(room);
  const before = levels.get(counter) ?? 0;
  const fitsAgain = before > SPOKEN.length && level <= SPOKEN.length;
  if (level > before || fitsAgain) say(words);
  levels.set(counter, level);
}
