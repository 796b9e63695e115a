/**
 * The texts of messages on the page. Most are plain and need no more than this; what the others need (formatted-text.js) is loaded
 * soon after the page, or when one comes before that: it is shown as it was typed until then.
 */

import { later } from './later.js';
import { loadStyles } from './later-styles.js';
import { me, setText } from './page.js';
import { clearText, sourceOf } from './text-element.js';

// The same as in chat/conversations/formatting.py.
const MARKUP = /[*`]|~~|:\/\/|^ {0,3}(?:>(?: |$)|-[ \t]|\d{1,9}\.[ \t])/m;
const EMOJI = /^[\p{Emoji}\p{Emoji_Component}\s]{1,60}$/u; // of a text that may be emoji alone, which are large
const MAX_LENGTH = 800; // characters of a text that is certainly not folded
const MAX_LINES = 20;

let module = null;
const waiting = new Map(); // element → what showText was given
const typed = new Map(); // element → the words that it shows, with markers, and what makes them anew

const loadFormatter = later(async () => {
  [module] = await Promise.all([import('./formatted-text.js'), loadStyles('formatted')]);
  waiting.forEach(([text, mentions], element) => {
    if (sourceOf(element) === text) module.showFormatted(element, text, mentions, me.id); // it was not deleted meanwhile
  });
  waiting.clear();
  typed.forEach(([words, toWords], element) => element.textContent === words && setText(element, toWords()));
  typed.clear();
});

const isPlain = (text, mentions) => !mentions.length && !MARKUP.test(text) && text.length <= MAX_LENGTH
  && text.split('\n', MAX_LINES + 1).length <= MAX_LINES && !EMOJI.test(text);

/** Shows the text of a message and its mentions `[{id, start, length}]`, whose places are in code points. */
export function showText(element, text, mentions = []) {
  waiting.delete(element);
  if (module) return module.showFormatted(element, text, mentions, me.id);
  clearText(element);
  element.textContent = text;
  if (isPlain(text, mentions)) return;
  waiting.set(element, [text, mentions]);
  loadFormatter().catch(() => {}); // the next text asks for it again
}

/** Shows `toWords()`, which has a text without its markers in it: those stand there until it can be read. */
export function showWords(element, text, toWords) {
  const words = toWords();
  setText(element, words);
  if (!module && MARKUP.test(text)) typed.set(element, [words, toWords]);
}

/** A text without its markers, for a preview: its beginning, at least, or so many code points of it as `most` says. */
export function plainWords(text, most) {
  if (!MARKUP.test(text)) return text;
  if (!module) loadFormatter().catch(() => {});
  return module?.plain(text, most) ?? text;
}
