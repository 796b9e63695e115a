/**
 * The small Markdown of messages: `treeOf(text)` reads it, formatted-text.js shows it. chat/conversations/formatting.py makes the
 * same tree on the server, and says what a tree is. Both are tested with tests/formatting_cases.json.
 */

import { addText } from './emphasis.js';
import { inlineNodes, isVisible, MarkedText } from './inline-formatting.js';

const MAX_DEPTH = 4; // of quotes and lists in one another
const MAX_PLAIN_LENGTH = 500; // code points of a message of which a preview is made
const TAB_WIDTH = 4; // columns

const FENCE = /^( {0,3})(`{3,}(?=[^`]*$)|~{3,})[ \t]*/;
const LANGUAGE = /^([\w+#.-]*)[ \t]*$/; // alone behind a fence
const FENCE_END = /^ {0,3}(`{3,}|~{3,})[ \t]*$/;
const QUOTE = /^ {0,3}>(?: |$)/;
const ITEM = /^( {0,3})([-*]|([0-9]{1,9})\.)([ \t]{1,4}(?=[^ \t])|[ \t](?=[ \t]*[^ \t])|(?=[ \t]*$))/;
const RULE = /^ {0,3}([-*])[ \t]*(?:\1[ \t]*){2,}$/; // a line across the page, to many: here it stays what it is
const INDENT = /^[ \t]*/;

/** The tree of a text. `mentions` are `[{id, start, length}]` in code points, as M has them. */
export function treeOf(text, mentions = []) {
  const marked = new MarkedText(text, mentions);
  const tree = blocks(marked.text.split('\n'), marked, 0);
  return isVisible(tree) ? tree : marked.split(marked.text); // else the bubble would be empty
}

/** The beginning of a text without its markers, for a preview. */
export function plain(text, most = MAX_PLAIN_LENGTH) {
  return plainOf(treeOf(text.length > most ? [...text.slice(0, 2 * most)].slice(0, most).join('') : text));
}

/** A tree as text: blocks and items on lines of their own. */
export function plainOf(tree) {
  const lines = [''];
  let isBlock = false;
  for (const node of tree) {
    const [kind, ...rest] = node;
    if (typeof node !== 'string' && kind in BLOCKS) {
      isBlock = true;
      lines.push(...BLOCKS[kind](...rest));
    } else {
      if (isBlock) lines.push('');
      lines.push(lines.pop() + (typeof node === 'string' ? node : INLINE[kind](...rest)));
      isBlock = false;
    }
  }
  return (lines[0] || lines.length === 1 ? lines : lines.slice(1)).join('\n');
}

const INLINE = {
  bold: plainOf, italic: plainOf, struck: plainOf, code: plainOf, address: (href) => href, link: (href, tree) => plainOf(tree),
  mention: (id, text) => text,
};
const BLOCKS = {
  block: (language, tree) => [plainOf(tree)],
  quote: (tree) => [plainOf(tree)],
  list: (items) => items.map(plainOf),
  numbers: (first, items) => items.map((item, index) => `${first + index}. ${plainOf(item)}`),
};

const isEmpty = (line) => !/[^ \t]/.test(line);

/** The tree of the lines of a message, a quote or an item. */
function blocks(lines, marked, depth) {
  const tree = [];
  let textFrom = 0;
  let at = 0;
  while (at < lines.length) {
    const isAfterText = at > textFrom && !isEmpty(lines[at - 1]);
    const block = /^ *[`~>\-*0-9]/.test(lines[at]) ? blockAt(lines, at, marked, depth, isAfterText) : null;
    if (!block) {
      at += 1;
      continue;
    }
    addLines(tree, lines, textFrom, at, marked, depth > 0);
    tree.push(block.node);
    textFrom = at = block.end;
  }
  addLines(tree, lines, textFrom, lines.length, marked, depth > 0);
  return tree;
}

/** The block that begins at a line, and where the next one begins; null if it is text. */
function blockAt(lines, at, marked, depth, isAfterText) {
  const fence = FENCE.exec(lines[at]);
  if (fence) return marked.takeMark() ? codeAt(lines, at, fence, marked) : null;
  if (depth === MAX_DEPTH) return null;
  if (QUOTE.test(lines[at])) return marked.takeMark() ? quoteAt(lines, at, marked, depth) : null;
  const item = itemAt(lines[at]);
  // In the middle of a paragraph "1999. " is a year that has come to the beginning of a line, and a dash alone is no list.
  if (!item?.[4] || (isAfterText && item[3] && Number(item[3]) !== 1)) return null;
  return marked.takeMark() ? listAt(lines, at, item, marked, depth) : null;
}

/**
 * A block ends with a fence at least as long as the first one, or with what it stands in. Behind the first one stands a language, or
 * code: some write it there, and no word of a message is lost.
 */
function codeAt(lines, at, [fence, indent, first], marked) {
  const isEnd = (line) => {
    const [, last] = FENCE_END.exec(line) ?? [];
    return last && last[0] === first[0] && last.length >= first.length;
  };
  let end = at + 1;
  while (end < lines.length && !isEnd(lines[end])) end += 1;
  const code = lines.slice(at + 1, end).map((line) => line.slice(Math.min(indent.length, /^ */.exec(line)[0].length)));
  if (end === lines.length && code.every(isEmpty)) return null; // somebody is about to write one, or writes about fences
  const behind = lines[at].slice(fence.length);
  const [, language] = LANGUAGE.exec(behind) ?? [];
  if (language === undefined) code.unshift(behind);
  return { node: ['block', language?.toLowerCase() ?? '', marked.split(code.join('\n'))], end: end + 1 };
}

function quoteAt(lines, at, marked, depth) {
  const quoted = [];
  let end = at;
  for (let mark = QUOTE.exec(lines[end]); mark; mark = end < lines.length && QUOTE.exec(lines[end])) {
    quoted.push(lines[end].slice(mark[0].length));
    end += 1;
  }
  return { node: ['quote', blocks(quoted, marked, depth + 1)], end };
}

function itemAt(line) {
  const item = ITEM.exec(line);
  return item && !(item[3] === undefined && RULE.test(line)) ? item : null;
}

/** The items of a list have the same mark; what belongs to one is indented as far as its text. Blank lines between are left out. */
function listAt(lines, at, first, marked, depth) {
  const mark = first[2].at(-1);
  const items = [];
  let item = first;
  while (item) {
    const width = widthOf(item);
    const inside = [lines[at].slice(item[0].length)];
    let blankCount = 0;
    let following = null;
    at += 1;
    while (at < lines.length) {
      const line = withSpaces(lines[at]);
      if (isEmpty(line)) {
        blankCount += 1;
      } else if (/[^ ]/.test(line.slice(0, width))) {
        following = itemAt(lines[at]);
        break;
      } else {
        while (blankCount-- > 0) inside.push('');
        inside.push(line.slice(width));
        blankCount = 0;
      }
      at += 1;
    }
    items.push(blocks(inside, marked, depth + 1));
    item = following?.[2].at(-1) === mark && marked.takeMark() ? following : null;
  }
  return { node: first[3] ? ['numbers', Number(first[3]), items] : ['list', items], end: at };
}

/** A line with spaces for the tabs of its indent. */
function withSpaces(line) {
  const [indent] = INDENT.exec(line);
  if (!indent.includes('\t')) return line;
  let width = 0;
  for (const blank of indent) width += blank === '\t' ? TAB_WIDTH - (width % TAB_WIDTH) : 1;
  return ' '.repeat(width) + line.slice(indent.length);
}

/** The columns before the text of an item; an empty one has them too. */
const widthOf = (item) => item[1].length + item[2].length + Math.max(1, item[4].length);

/** Reads lines that are no block. Blank ones beside a block only part it from the text; those between paragraphs stay. */
function addLines(tree, lines, start, end, marked, isNested) {
  if (isNested || start > 0) while (start < end && isEmpty(lines[start])) start += 1;
  if (isNested || end < lines.length) while (end > start && isEmpty(lines[end - 1])) end -= 1;
  let paragraph = start;
  for (let at = start; at <= end; at++) {
    if (at < end && !isEmpty(lines[at])) continue;
    if (at > paragraph) {
      if (paragraph > start) addText(tree, '\n');
      for (const node of inlineNodes(lines.slice(paragraph, at).join('\n'), marked)) {
        if (typeof node === 'string') addText(tree, node);
        else tree.push(node);
      }
    }
    if (at < end) addText(tree, (at > start ? '\n' : '') + lines[at]);
    paragraph = at + 1;
  }
}
