/**
 * The addresses in a text. chat/conversations/links.py finds the same ones. Each character is looked at a fixed number of times, so that no
 * text takes long.
 */

const START = /\bhttps?:\/\//gi;
const MAX_HOST_LENGTH = 255; // code points before the path; no host has a longer name

// Characters that end an address: blanks, controls, what is invisible, quotation marks, the punctuation of scripts that put no blank
// after it, and symbols that serve as it: ＜ ≫ ｜. Punctuation and symbols inside words do not: "Bose–Einstein", "ル・ダ", "らき☆すた".
const INVISIBLE = String.raw`\p{Cc}\p{Cs}[[\p{Cf}\p{Default_Ignorable_Code_Point}]--\p{Join_Control}]\u2800\uFFFC\u{13441}\u{13442}\u{16FE4}\u{1D159}`;
const OUTSIDE = String.raw`\s<>"\x60${INVISIBLE}[\p{P}--[\p{ASCII}\p{Pd}\p{ID_Continue}・･]]＜＞﹤﹥≪≫｀｜￨\u2500-\u257F`;
const MARK = new RegExp(String.raw`[\(\)\[\]\{\}${OUTSIDE}]`, 'gv');
const CLOSING = { '(': ')', '[': ']', '{': '}' };
const TRAILING = /[.,;:!?'*~[[\p{P}\p{S}\p{Join_Control}]--\p{ASCII}]]/v; // at the end of an address it belongs to the sentence around it

// After the scheme: a name and a password perhaps, a host without the characters that URLs forbid in one, a port perhaps.
const HOST = /^https?:\/\/(?:[^/?#\\@]*@)?(?:\[[0-9a-f:.]+\]|[^\0-\x20#/:<>?@[\]\\^|%\x7f]+)(?::[0-9]{0,5})?(?=[/?#\\]|$)/i;

// What may stand between the parentheses of [text](address): parentheses in it have partners.
const INSIDE = String.raw`[^\(\)${OUTSIDE}]`;
export const TARGET = new RegExp(String.raw`\(([Hh][Tt][Tt][Pp][Ss]?:\/\/(?:${INSIDE}|\(${INSIDE}*\))+)\)`, 'vy');

/** The http and https addresses in a text, `{start, href}` each. */
export function addressesIn(text) {
  const start = new RegExp(START);
  const addresses = [];
  if (!start.test(text)) return addresses;
  const ends = endsIn(text);
  let next = 0; // index in `ends`; only grows, so that all addresses together look at each end once
  start.lastIndex = 0;
  for (let found = start.exec(text); found; found = start.exec(text)) {
    const isBefore = (end) => end.index < start.lastIndex;
    const isInside = (end) => end.minStart > found.index; // a bracket whose partner is in the address too
    while (next < ends.length && (isBefore(ends[next]) || isInside(ends[next]))) next += 1;
    const href = withoutPunctuation(text.slice(found.index, ends[next]?.index));
    start.lastIndex = Math.max(start.lastIndex, found.index + href.length);
    if (isAddress(href)) addresses.push({ start: found.index, href });
  }
  return addresses;
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
  for (let last = lastOf(address, end); TRAILING.test(last); last = lastOf(address, end)) end -= last.length;
  return address.slice(0, end);
}

/** The character that ends at an index: half a surrogate pair is none. */
function lastOf(text, end) {
  const pair = text.slice(Math.max(0, end - 2), end);
  return /^[\ud800-\udbff][\udc00-\udfff]$/.test(pair) ? pair : pair.slice(-1);
}

/** Whether a text that begins with the scheme names a host. Long names of hosts are not looked at. */
export function isAddress(text) {
  const [host] = text.slice(text.indexOf('//') + 2).split(/[/?#\\]/, 1);
  return host.length <= 2 * MAX_HOST_LENGTH && [...host].length <= MAX_HOST_LENGTH && HOST.test(text);
}
