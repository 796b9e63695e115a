// Writes the emoji of emojibase-data for the picker, in each language: node tools/emoji.mjs TO
//
// emoji-LANG.json is [{name, emoji: [[emoji, name, codes, words, version, tones?]…]}…], one entry a group. `codes` are what other chats call it
// between colons. `words` find it too, in English also where the page is in another language. `tones` says how the emoji takes the five skin
// tones: 1, the modifier goes after its first character; or a list of the five, where that is not so.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const LANGUAGES = ['en', 'fr'];
const COMPONENTS = 2; // the group of hair and skin alone
const MODIFIERS = ['\u{1F3FB}', '\u{1F3FC}', '\u{1F3FD}', '\u{1F3FE}', '\u{1F3FF}'];

const [to] = process.argv.slice(2);
const read = (language, name) => JSON.parse(readFileSync(new URL(`../node_modules/emojibase-data/${language}/${name}.json`, import.meta.url), 'utf8'));

/** The sequence that is recommended for interchange (RGI): U+FE0F stands only after what is a text character without it. */
const qualified = (emoji) => emoji.replace(/(.)\uFE0F/gu, (all, character) => {
  const isText = /\p{Emoji}/u.test(character) && !/\p{Emoji_Presentation}/u.test(character); // what Node is too old to know is an emoji
  return isText ? all : character;
});

const withModifier = (emoji, modifier) => emoji.replace(/^(.)\uFE0F?/u, `$1${modifier}`);

function tonesOf({ emoji, skins }) {
  // Of two people each may have a tone of their own; the picker gives both the same.
  const toned = MODIFIERS.map((_modifier, at) => skins?.find(({ tone }) => [tone].flat().every((one) => one === at + 1))?.emoji)
    .map((one) => one && qualified(one));
  if (toned.includes(undefined)) return [];
  return toned.every((one, at) => one === withModifier(qualified(emoji), MODIFIERS[at])) ? [1] : [toned];
}

const wordsIn = (text) => text.split(/[\s_]+/).filter(Boolean);

const codes = read('en', 'shortcodes/github'); // hexcode → one or several
const codesOf = ({ hexcode }) => [codes[hexcode] ?? []].flat().join(' ');

const inEnglish = new Map(read('en', 'data').map((one) => [one.hexcode, one]));

/** What finds an emoji beside its name and its codes; each word once. */
function wordsOf(one, code) {
  const { label, tags = [] } = inEnglish.get(one.hexcode);
  const known = new Set(wordsIn(`${one.label} ${code}`));
  const words = [...(one.tags ?? []), label, ...tags].flatMap(wordsIn);
  return [...new Set(words)].filter((word) => !known.has(word)).join(' ');
}

function toRow(one) {
  const code = codesOf(one);
  return [qualified(one.emoji), one.label, code, wordsOf(one, code), one.version, ...tonesOf(one)];
}

function groupsOf(language) {
  const emoji = read(language, 'data').filter(({ group }) => group !== undefined && group !== COMPONENTS).sort((a, b) => a.order - b.order);
  const { groups } = read(language, 'messages');
  return groups.filter(({ order }) => order !== COMPONENTS).map(({ order, message }) => ({
    name: message,
    emoji: emoji.filter(({ group }) => group === order).map(toRow),
  }));
}

for (const language of LANGUAGES) writeFileSync(join(to, `emoji-${language}.json`), JSON.stringify(groupsOf(language)));
