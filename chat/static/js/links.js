/** The addresses in a text, as links. The time that it takes grows with the length of the text only, whatever the text holds. */

const START = /\bhttps?:\/\//gi;
const MAX_HOST_LENGTH = 255; // characters of what stands before the path: no name of a host is longer

// What no address has in it: blanks, controls (those that turn the direction of a text among them), quotation marks, and
// the punctuation of scripts that put no blank after it. What words are written with is none: "Bose–Einstein", "ル・ダ".
const OUTSIDE = String.raw`\s<>"\x60\p{Cc}\p{Cs}[\p{Cf}--\p{Join_Control}][\p{P}--[\p{ASCII}\p{Pd}\p{ID_Continue}・･]]`;
const MARK = new RegExp(String.raw`[\(\)\[\]\{\}${OUTSIDE}]`, 'gv');
const CLOSING = { '(': ')', '[': ']', '{': '}' };
const TRAILING = /[.,;:!?'*[\p{P}--\p{ASCII}]]/v; // the end of the sentence around an address

/** Shows a text as text, with its addresses as links. No direction of the text around them reaches into them. */
export function showText(element, text) {
  element.replaceChildren(...splitLinks(text).map(({ text: words, href }) => {
    if (!href) return words;
    const link = { href, textContent: words, target: '_blank', rel: 'noopener noreferrer', dir: 'ltr' };
    return Object.assign(document.createElement('a'), link);
  }));
}

/** Cuts a text into `[{text, href?}]`; only http and https addresses get an href. */
export function splitLinks(text) {
  const parts = [];
  let end = 0;
  for (const address of addressesIn(text)) {
    if (address.start > end) parts.push({ text: text.slice(end, address.start) });
    parts.push({ text: address.href, href: address.href });
    end = address.start + address.href.length;
  }
  if (end < text.length) parts.push({ text: text.slice(end) });
  return parts;
}

function* addressesIn(text) {
  const start = new RegExp(START);
  if (!start.test(text)) return;
  const ends = endsIn(text);
  let next = 0; // of the ends, the first one that may be in the way
  start.lastIndex = 0;
  for (let found = start.exec(text); found; found = start.exec(text)) {
    while (next < ends.length && ends[next].at < start.lastIndex) next += 1;
    while (next < ends.length && ends[next].from > found.index) next += 1;
    const href = withoutPunctuation(text.slice(found.index, ends[next]?.at));
    start.lastIndex = Math.max(start.lastIndex, found.index + href.length);
    if (isAddress(href)) yield { start: found.index, href };
  }
}

/**
 * Where an address may end, as `[{at, from}]`, ascending: one that begins at `from` or later ends at `at`.
 * A bracket ends it unless its partner is part of the address too: "(see https://example.org/a_(b))" keeps `a_(b)`.
 */
function endsIn(text) {
  const ends = [];
  let open = []; // brackets without a partner yet
  for (const { 0: mark, index } of text.matchAll(MARK)) {
    const end = { at: index, from: 0, mark };
    ends.push(end);
    if (mark in CLOSING) open.push(end);
    else if (mark === CLOSING[open.at(-1)?.mark]) {
      const opening = open.pop();
      end.from = opening.at + 1;
      opening.from = Infinity;
    } else open = [];
  }
  return ends;
}

function withoutPunctuation(address) {
  let end = address.length;
  while (TRAILING.test(address[end - 1])) end -= 1;
  return address.slice(0, end);
}

/** A browser's parser may take long over a long name of a host: it does not come to that. */
function isAddress(text) {
  const [host] = text.slice(text.indexOf('//') + 2).split(/[/?#\\]/, 1);
  return host.length <= MAX_HOST_LENGTH && URL.canParse(text);
}
