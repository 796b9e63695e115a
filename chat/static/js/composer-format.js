/** What formats in the field: marks around the selection, and the offer to make a block of pasted code. All of it can be undone. */

import { say } from './announcer.js';
import { replaceText } from './field-text.js';
import { gettext } from './i18n.js';
import { find, fromTemplate } from './page.js';

const MIN_SHARE = 0.5; // of the lines of a text that look like code

const CODE_LINE = new RegExp([
  String.raw`^\s{2,}\S`, String.raw`[;{}]\s*$`, String.raw`[\w)\]]\s*(?:=>|==|!=|:=|=|->)\s*\S`, String.raw`^\s*(?:\/\/|\/\*|#!|#include\b|<[!?/]?\w|\$ |@\w+)`,
  String.raw`^\s*(?:def|class|import|from|return|function|const|let|var|public|private|static|void|int|if|elif|else|for|while|try)\b.*[:;({)]\s*$`,
  String.raw`^\s*(?:SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|FROM|WHERE|JOIN|VALUES)\b`, String.raw`^\w[\w.]*\(.*\)\s*;?\s*$`,
].join('|'));

// The first that fits, from what is easily told to what is not.
const SIGNS = [
  ['php', /<\?php/], ['html', /<!doctype|<\/\w+>|^\s*<\w+[^>]*>/im], ['c', /#include\s*[<"]/], ['java', /\bpublic\s+(?:static\s+)?(?:class|void)\b/],
  ['json', /^\s*[[{]\s*(?:"|$|[[{])[^]*"\s*:/], ['sql', /^\s*(?:SELECT|INSERT INTO|UPDATE|DELETE FROM|CREATE|ALTER)\b/im],
  ['shell', /^(?:#!\/bin|\$ |sudo |apt |cd |npm |pip |git )/m], ['python', /^\s*(?:def \w+\(|class \w+.*:|import \w|from \w+ import|print\()/m],
  ['javascript', /\b(?:const|let|var)\s+\w+\s*=|=>|\bfunction\b/], ['css', /^\s*[.#]?[\w-]+[^;{}]*\{[^}]*[\w-]+\s*:/m],
];

/** Puts a mark before and after the selection, or takes them away where they are. Several lines of code become a block. */
export function toggleMark(field, mark) {
  const { value } = field;
  let { selectionStart: start, selectionEnd: end } = field;
  while (start < end && /\s/.test(value[start])) start += 1; // a double click selects the blank after a word too
  while (end > start && /\s/.test(value[end - 1])) end -= 1;
  const inside = value.slice(start, end);
  const { length } = mark;
  if (mark === '`' && inside.includes('\n')) {
    makeBlock(field, start, end, '');
  } else if (hasMark(value, start, end, mark)) {
    replaceText(field, start - length, end + length, inside);
    field.setSelectionRange(start - length, end - length);
  } else if (inside.length > 2 * length && hasMark(value, start + length, end - length, mark)) {
    replaceText(field, start, end, inside.slice(length, -length));
    field.setSelectionRange(start, end - 2 * length);
  } else {
    replaceText(field, start, end, `${mark}${inside}${mark}`);
    field.setSelectionRange(start + length, end + length);
  }
}

/** Whether the mark stands around a place. One star of two is no mark: two are another one. */
function hasMark(value, start, end, mark) {
  if (start < mark.length || value.slice(start - mark.length, start) !== mark || value.slice(end, end + mark.length) !== mark) return false;
  const before = /\**$/.exec(value.slice(0, start))[0].length;
  const after = /^\**/.exec(value.slice(end))[0].length;
  return mark[0] !== '*' || [before, after].every((count) => count === mark.length || count > 2);
}

function makeBlock(field, start, end, language) {
  const { value } = field;
  const text = value.slice(start, end);
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  const before = start && value[start - 1] !== '\n' ? '\n' : '';
  const after = end < value.length && value[end] === '\n' ? '' : '\n';
  replaceText(field, start, end, `${before}${fence}${language}\n${text}\n${fence}${after}`);
}

// Pasted code

let offer = null;

/** A text of several lines is about to be pasted: one that looks like code is offered to be made a block. */
export function pasted(field, { text, editor, start }) {
  takeBack();
  const code = text.replace(/\r\n?/g, '\n').replace(/^(?:[ \t]*\n)+/, '').trimEnd();
  if (code.includes('```') || !(editor || looksLikeCode(code))) return;
  offer = fromTemplate('paste-offer-template');
  field.form.before(offer);
  say(gettext('This looks like code.'));
  find('[data-action="make-block"]', offer).addEventListener('click', () => {
    const at = field.value.indexOf(code, start);
    takeBack();
    if (at >= 0) makeBlock(field, at, at + code.length, languageOf(code, editor));
    else field.focus();
  });
  find('[data-action="close"]', offer).addEventListener('click', () => {
    takeBack();
    field.focus();
  });
  const { signal } = offer.ending = new AbortController();
  field.form.addEventListener('submit', takeBack, { signal });
  field.addEventListener('input', () => field.value.includes(code) || takeBack(), { signal });
}

function takeBack() {
  offer?.ending.abort();
  offer?.remove();
  offer = null;
}

export function looksLikeCode(text) {
  const lines = text.split('\n').filter((line) => line.trim());
  return lines.length > 1 && lines.filter((line) => CODE_LINE.test(line)).length / lines.length >= MIN_SHARE;
}

/** The language of a code: the editor from which it comes may have said it. */
export function languageOf(text, editor) {
  try {
    const { mode } = JSON.parse(editor);
    if (/^[\w+#-]+$/.test(mode) && mode !== 'plaintext') return mode === 'shellscript' ? 'shell' : mode;
  } catch {
    // it is another editor
  }
  return SIGNS.find(([, sign]) => sign.test(text))?.[0] ?? '';
}
