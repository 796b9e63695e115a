/**
 * What stands in a line of a message: bold, italic, struck and code, addresses, links and mentions.
 *
 * Addresses, code and links are found first, and emphasis.js finds what stands between stars. chat/conversations/inline_formatting.py
 * does the same.
 */

import { isBlank } from './blank.js';
import { addText, built } from './emphasis.js';
import { addressesIn, isAddress, TARGET } from './links.js';

const MAX_MARKS = 500; // that are looked at in one message, those of blocks too; what is behind them is text, with its mentions

// A mention takes the place of two characters: \0, which no message may have in it, and its number from here on.
const FIRST_MENTION = 0xe000;
const MENTION = /\0[\ue000-\ue0ff]/g;

const TOKEN = /`+|\*+|~+|[[\]]|\0[\ue000-\ue0ff]/g;
const ANY_MARK = /[*`~[\0]|:\/\//;
const VISIBLE = new Set(['address', 'link', 'mention', 'numbers']); // nodes, whatever is in them
const [BLANK, MARK, LETTER] = [0, 1, 2];
const BLANKS = /[ \t\n\f\r\v]|\p{Zs}/u;
const MARKS = /[\p{P}\p{S}\0\u{1F000}-\u{1FAFF}]/u; // the blocks of emoji as a whole: this browser need not know each of them

/** A text in which mentions are signs of two characters, and their nodes; and how many marks of it may still be looked at. */
export class MarkedText {
  nodes = [];
  #marksLeft = MAX_MARKS;

  constructor(text, mentions) {
    this.text = text.replaceAll('\0', '\ufffd');
    if (mentions.length) this.text = this.#withSigns([...this.text], mentions.toSorted((a, b) => a.start - b.start));
  }

  #withSigns(characters, mentions) {
    const pieces = [];
    let at = 0;
    for (const { id, start, length } of mentions) {
      pieces.push(...characters.slice(at, start), '\0', String.fromCharCode(FIRST_MENTION + this.nodes.length));
      at = start + length;
      this.nodes.push(['mention', id, characters.slice(start, at).join('')]);
    }
    return pieces.join('') + characters.slice(at).join('');
  }

  /** Whether one more mark is looked at. */
  takeMark() {
    if (this.#marksLeft === 0) return false;
    this.#marksLeft -= 1;
    return true;
  }

  /** A text in which nothing else is read, as a tree: what was typed, and the mentions in it. */
  split(text) {
    const tree = [];
    let at = 0;
    for (const { 0: sign, index } of this.nodes.length ? text.matchAll(MENTION) : []) {
      addText(tree, text.slice(at, index));
      tree.push(this.node(sign));
      at = index + sign.length;
    }
    addText(tree, text.slice(at));
    return tree;
  }

  node(sign) {
    return this.nodes[sign.charCodeAt(1) - FIRST_MENTION];
  }
}

/** The tree of a paragraph. */
export const inlineNodes = (text, marked) => (ANY_MARK.test(text) ? new Paragraph(text, marked).tree() : [text]);

/** The paragraph that is being read. `items` holds texts, nodes and runs, `openings` the places of [ in it. */
class Paragraph {
  items = [];
  runs = [];
  openings = [];
  at = 0;
  addressCount = 0;

  constructor(text, marked) {
    Object.assign(this, { text, marked });
  }

  tree() {
    const { text } = this;
    const addresses = addressesIn(text);
    const partners = text.includes('`') ? partnersOf(text) : null;
    let following = 0;
    for (const { 0: sign, index } of text.matchAll(TOKEN)) {
      while (addresses[following]?.start < index) this.#addAddress(addresses[following++]);
      if (index < this.at) continue; // in an address, in code, or in the target of a link
      if (sign[0] === '\0' || this.marked.takeMark()) this.#addToken(sign, index, index + sign.length, partners);
    }
    addresses.slice(following).forEach((address) => this.#addAddress(address));
    this.#addText(text.length);
    return built(this.items, this.runs);
  }

  #addText(end) {
    if (end <= this.at) return;
    this.items.push(this.text.slice(this.at, end));
    this.at = end;
  }

  #add(item, start, end) {
    this.#addText(start);
    this.items.push(item);
    this.at = end;
  }

  #addAddress({ start, href }) {
    if (start < this.at) return;
    this.#add(['address', href], start, start + href.length);
    this.addressCount += 1;
  }

  #addToken(sign, start, end, partners) {
    const mark = sign[0];
    if (mark === '`') {
      const partner = partners.get(start);
      if (partner) this.#add(['code', this.marked.split(codeOf(this.text.slice(end, partner)))], start, partner + sign.length);
    } else if (mark === '*' || mark === '~') {
      this.#addRun(mark, start, end);
    } else if (mark === '[') {
      this.#addText(start);
      this.openings.push({ first: this.items.length, firstRun: this.runs.length, addressCount: this.addressCount });
      this.#add(mark, start, end);
    } else if (mark === ']') {
      this.#closeLink(start, end);
    } else if (this.marked.nodes.length) {
      this.#add(this.marked.node(sign), start, end);
    }
  }

  #addRun(mark, start, end) {
    const length = end - start;
    if (mark === '~' && length !== 2) return;
    const before = start ? classBefore(this.text, start) : BLANK;
    const after = end < this.text.length ? classOf(String.fromCodePoint(this.text.codePointAt(end))) : BLANK;
    const canOpen = after !== BLANK && (after === LETTER || before !== LETTER);
    const canClose = before !== BLANK && (before === LETTER || after !== LETTER);
    if (!canOpen && !canClose) return;
    // `closes` and `opens` are the kinds of nodes that end and begin at it, in the order in which they were found.
    const run = { mark, length, left: length, canOpen, canClose, closes: [], opens: [] };
    this.runs.push(run);
    this.#add(run, start, end);
  }

  /** What stands in [ and ] with a target after it is a link, if it is neither invisible nor an address that might differ from the target. */
  #closeLink(start, end) {
    if (!this.openings.length) return;
    const { first, firstRun, addressCount } = this.openings.pop();
    TARGET.lastIndex = end;
    const target = TARGET.exec(this.text);
    this.#addText(start);
    if (!target || first === this.items.length - 1 || addressCount < this.addressCount || !isAddress(target[1])) return;
    const children = built(this.items.slice(first + 1), this.runs.slice(firstRun));
    if (!isVisible(children)) return;
    this.items.length = first;
    this.runs.length = firstRun;
    this.openings = []; // no link is in another one
    this.#add(['link', target[1], children], start, end + target[0].length);
  }
}

/** Whether a reader sees a character of a tree. */
export function isVisible(tree) {
  return tree.some((node) => {
    if (typeof node === 'string') return !isBlank(node);
    if (node[0] === 'list') return node[1].some(isVisible);
    return VISIBLE.has(node[0]) || isVisible(node.at(-1));
  });
}

/** The text of code in a line, without the blank at both ends that lets it begin or end with a backtick. */
function codeOf(text) {
  const line = text.replaceAll('\n', ' ');
  return line.startsWith(' ') && line.endsWith(' ') && /[^ ]/.test(line) ? line.slice(1, -1) : line;
}

/** Start of a run of backticks → start of the next one that is as long. */
function partnersOf(text) {
  const partners = new Map();
  const later = new Map();
  for (const { 0: run, index } of [...text.matchAll(/`+/g)].reverse()) {
    partners.set(index, later.get(run.length));
    later.set(run.length, index);
  }
  return partners;
}

/** The class of the character that ends at an index. */
function classBefore(text, index) {
  const isPair = index > 1 && /[\udc00-\udfff]/.test(text[index - 1]) && /[\ud800-\udbff]/.test(text[index - 2]);
  return classOf(text.slice(index - (isPair ? 2 : 1), index));
}

const classOf = (character) => (BLANKS.test(character) ? BLANK : MARKS.test(character) ? MARK : LETTER);
