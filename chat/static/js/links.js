/** The addresses in a text, as links. Each character is looked at a fixed number of times, so that no text takes long. */

const EVERYBODY = 0; // the id of a mention of all members
const START = /\bhttps?:\/\//gi;
const MAX_HOST_LENGTH = 255; // characters before the path; no host has a longer name

// Characters that end an address: blanks, controls (also those that change the direction of a text), quotation marks, and
// the punctuation of scripts that put no blank after it. Punctuation inside words does not: "Bose–Einstein", "ル・ダ".
const OUTSIDE = String.raw`\s<>"\x60\p{Cc}\p{Cs}[\p{Cf}--\p{Join_Control}][\p{P}--[\p{ASCII}\p{Pd}\p{ID_Continue}・･]]`;
const MARK = new RegExp(String.raw`[\(\)\[\]\{\}${OUTSIDE}]`, 'gv');
const CLOSING = { '(': ')', '[': ']', '{': '}' };
const TRAILING = /[.,;:!?'*[\p{P}--\p{ASCII}]]/v; // at the end of an address it belongs to the sentence around it

/** Shows a text to the user `myId`, as text nodes, links and mentions `[{id, start, length}]`, whose places are in code points. */
export function showText(element, text, mentions = [], myId = 0) {
  if (!mentions.length) return void element.replaceChildren(...nodesOf(text));
  const characters = [...text];
  const nodes = [];
  let at = 0;
  for (const { id, start, length } of mentions) {
    nodes.push(...nodesOf(characters.slice(at, start).join('')));
    at = start + length;
    const isMe = id === myId || id === EVERYBODY;
    const mention = { className: isMe ? 'mention mention-me' : 'mention', textContent: characters.slice(start, at).join('') };
    nodes.push(Object.assign(document.createElement('strong'), mention));
  }
  element.replaceChildren(...nodes, ...nodesOf(characters.slice(at).join('')));
}

/** Makes links of the addresses in what the server has rendered: text, and mentions in it. */
export function addLinks(element) {
  for (const node of [...element.childNodes]) {
    if (node.nodeType === Node.TEXT_NODE) node.replaceWith(...nodesOf(node.data));
  }
}

/** A link is left to right, whatever the direction of the text around it. */
function nodesOf(text) {
  return splitLinks(text).map(({ text: words, href }) => {
    if (!href) return words;
    const link = { href, textContent: words, target: '_blank', rel: 'noopener noreferrer', dir: 'ltr' };
    return Object.assign(document.createElement('a'), link);
  });
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
  let next = 0; // index in `ends`; only grows, so that all addresses together look at each end once
  start.lastIndex = 0;
  for (let found = start.exec(text); found; found = start.exec(text)) {
    const isBefore = (end) => end.index < start.lastIndex;
    const isInside = (end) => end.minStart > found.index; // a bracket whose partner is in the address too
    while (next < ends.length && (isBefore(ends[next]) || isInside(ends[next]))) next += 1;
    const href = withoutPunctuation(text.slice(found.index, ends[next]?.index));
    start.lastIndex = Math.max(start.lastIndex, found.index + href.length);
    if (isAddress(href)) yield { start: found.index, href };
  }
}

/**
 * The places where an address may end, in ascending order. `{index, minStart}`: it ends before `index` if it starts at
 * `minStart` or later. For most characters that is anywhere. A closing bracket ends only addresses that start after its
 * opening bracket, and an opening bracket with a partner ends none: "(see https://example.org/a_(b))" keeps `a_(b)`.
 */
function endsIn(text) {
  const ends = [];
  let open = []; // opening brackets without a partner yet
  for (const { 0: mark, index } of text.matchAll(MARK)) {
    const end = { index, minStart: 0, mark };
    ends.push(end);
    if (mark in CLOSING) {
      open.push(end);
    } else if (mark === CLOSING[open.at(-1)?.mark]) {
      const opening = open.pop();
      end.minStart = opening.index + 1;
      opening.minStart = Infinity;
    } else {
      open = [];
    }
  }
  return ends;
}

function withoutPunctuation(address) {
  let end = address.length;
  while (TRAILING.test(address[end - 1])) end -= 1;
  return address.slice(0, end);
}

/** Long names of hosts are not parsed: some browsers take long over them. */
function isAddress(text) {
  const [host] = text.slice(text.indexOf('//') + 2).split(/[/?#\\]/, 1);
  return host.length <= MAX_HOST_LENGTH && URL.canParse(text);
}
