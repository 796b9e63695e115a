/** Sizes and lengths of files: in words, and in pixels. */

import { gettext, locale, ngettext } from './i18n.js';

const MAX_WIDTH = 280; // pixels of an image in a bubble; file_words.py has the same
const MAX_HEIGHT = 200;
const PHONE_WIDTH = 236; // and on a phone: file-parts.css
const PHONE_HEIGHT = 240;

/** The unit in which a size is told, and how: `number(bytes)` in that unit, `words(number)` with it. */
function unitOf(size) {
  if (size >= 1e9) return { bytes: 1e9, words: (number) => gettext('%(size)s GB', { size: number }) };
  if (size >= 1e6) return { bytes: 1e6, words: (number) => gettext('%(size)s MB', { size: number }) };
  return { bytes: 1e3, words: (number) => gettext('%(size)s KB', { size: number }) };
}

const rounded = (size, bytes) => new Intl.NumberFormat(locale, { maximumFractionDigits: size < 10 * bytes ? 1 : 0 }).format(size / bytes);

/** A size for people: `3.4 MB`. */
export function sizeWords(size) {
  if (size < 1e3) return ngettext('%(num)s byte', '%(num)s bytes', size);
  const { bytes, words } = unitOf(size);
  return words(rounded(size, bytes));
}

/** How much of a size is there: `2.2 of 3.4 MB`. */
export function progressWords(loaded, total) {
  const { bytes, words } = unitOf(total);
  return words(gettext('%(done)s of %(all)s', { done: rounded(loaded, bytes), all: rounded(total, bytes) }));
}

/** A length of time as a player shows it: `1:05`. */
export function durationWords(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/** The width and height of an image as a bubble shows it. */
export function shownSize({ width, height }) {
  const scale = Math.min(1, MAX_WIDTH / width, MAX_HEIGHT / height);
  return [width, height].map((pixels) => Math.max(1, Math.round(pixels * scale)));
}

/** The side of a phone's measures that an image fills, `width` or `height`; null for one that is smaller. */
export function filledSide({ width, height }) {
  if (width * PHONE_HEIGHT <= height * PHONE_WIDTH) return height >= PHONE_HEIGHT ? 'height' : null;
  return width >= PHONE_WIDTH ? 'width' : null;
}
