/** The emoji of the picker: fetched once, searched, in a skin tone; and which of them this machine can draw. */

import { folded } from './folding.js';
import { language, locale } from './i18n.js';

const MODIFIERS = ['', '\u{1F3FB}', '\u{1F3FC}', '\u{1F3FD}', '\u{1F3FE}', '\u{1F3FF}'];
// One of each version of Unicode: a font that draws it draws all before it.
const SAMPLES = [[17, '🫪'], [16, '🫩'], [15, '🫨'], [14, '🫠'], [13, '🥲'], [12, '🥱']];
const SAMPLE_PX = 24;

let loading = null;

/** Resolves to the groups `[{name, emoji: [{emoji, name, codes, words, tones}]}]`. Where they do not come, the next call asks again. */
export function loadEmoji() {
  loading ??= fetchEmoji().catch((error) => {
    loading = null;
    throw error;
  });
  return loading;
}

async function fetchEmoji() {
  const response = await fetch(new URL(`../build/emoji-${language}.json`, import.meta.url));
  if (!response.ok) throw new Error(response.statusText);
  const newest = newestDrawn();
  return (await response.json()).map(({ name, emoji }) => ({
    name: name.charAt(0).toLocaleUpperCase(locale) + name.slice(1),
    emoji: emoji.filter(([, , , , version]) => version <= newest).map(toObject),
  }));
}

const toObject = ([emoji, name, codes, words, , tones]) => ({
  emoji, name, codes: codes.split(' '), words: folded(`${name} ${codes} ${words}`).replaceAll('_', ' '), tones,
});

/** The newest version whose emoji are drawn; all where none is, for then there is no font that says anything. */
function newestDrawn() {
  const context = new OffscreenCanvas(SAMPLE_PX, SAMPLE_PX).getContext('2d', { willReadFrequently: true });
  context.font = `${SAMPLE_PX / 2}px sans-serif`;
  context.textBaseline = 'top';
  return SAMPLES.find(([, emoji]) => isColoured(context, emoji))?.[0] ?? Infinity;
}

/** An emoji has colours of its own; the sign for a missing one has that of the text. */
function isColoured(context, emoji) {
  context.clearRect(0, 0, SAMPLE_PX, SAMPLE_PX);
  context.fillText(emoji, 0, 0);
  const { data } = context.getImageData(0, 0, SAMPLE_PX, SAMPLE_PX);
  return data.some((value, at) => at % 4 === 0 && data[at + 3] && value !== data[at + 1]);
}

/**
 * Those of `groups` that have a word beginning with each word of `query`, in the order of what they mean most: what other chats call so, then
 * those whose name begins with all of it.
 */
export function searchEmoji(groups, query) {
  const wanted = folded(query).split(/[\s_]+/).filter(Boolean);
  const begins = ({ words }, word) => words.startsWith(word) || words.includes(` ${word}`);
  const found = groups.flatMap(({ emoji }) => emoji).filter((one) => wanted.every((word) => begins(one, word)));
  const code = wanted.join('_');
  const rank = ({ codes, words }) => (codes.includes(code) ? 0 : words.startsWith(wanted.join(' ')) ? 1 : 2);
  return found.sort((a, b) => rank(a) - rank(b));
}

/** An emoji in the skin tone 0 to 5; 0 is the yellow one. */
export function inTone({ emoji, tones }, tone) {
  if (!tone || !tones) return emoji;
  return tones === 1 ? emoji.replace(/^(.)\uFE0F?/u, `$1${MODIFIERS[tone]}`) : tones[tone - 1];
}
