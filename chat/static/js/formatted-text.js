/** The text of a message as elements: the same that the server makes of it (_text.html, _code_block.html, text_look.py). */

import { plainOf, treeOf } from './formatting.js';
import { gettext, ngettext } from './i18n.js';
import { find, findAll, fromTemplate, part, setText } from './page.js';
import { clearText } from './text-element.js';

export { plain } from './formatting.js';

const EVERYBODY = 0; // the id of a mention of all members
const MAX_LINES = 20; // of a text or of code that is not folded
const WIDTHS = { wide: 100, narrow: 42 }; // characters in a line of a bubble: rather too many, so that nothing is folded in vain
const LARGE_EMOJI = /^ *(?:\p{RGI_Emoji} *){1,3}$/v;
const MAX_LARGE_LENGTH = 33; // code points of three emoji, blanks beside them too
const BLOCKS = 'ul, ol, blockquote, .code-block';
const TAGS = { bold: 'strong', italic: 'em', struck: 's', code: 'code' };

const NAMES = {
  python: 'Python', javascript: 'JavaScript', html: 'HTML', css: 'CSS', sql: 'SQL', php: 'PHP', java: 'Java', c: 'C', shell: 'Shell', json: 'JSON',
};
const ALIASES = {
  py: 'python', python3: 'python', js: 'javascript', mjs: 'javascript', jsx: 'javascript', node: 'javascript', htm: 'html', xml: 'html', svg: 'html',
  mysql: 'sql', mariadb: 'sql', sqlite: 'sql', postgresql: 'sql', h: 'c', sh: 'shell', bash: 'shell', zsh: 'shell', console: 'shell',
};

const own = (object, key) => (Object.hasOwn(object, key) ? object[key] : undefined);

/** Shows a text in its place in a row, with mentions of which those of `myId` stand out. */
export function showFormatted(element, text, mentions, myId) {
  const tree = treeOf(text, mentions);
  clearText(element);
  element.append(...nodesOf(tree, myId));
  if (element.textContent !== text || find('strong:not(.mention), em, s, code, blockquote, ul, ol', element)) keepSource(element, text, mentions);
  const row = element.closest('li');
  const fold = foldOf(text, tree);
  if (fold) element.after(makeFold(fold));
  // In the Tab order they are those of the message that has the focus (roving-tabindex.js).
  for (const control of findAll('.code-head > button, .fold > summary', row)) control.tabIndex = part(row, 'details').tabIndex;
  row.toggleAttribute('data-emoji', isLarge(text));
  if (find('.code-block', element)) import('./code-block.js').then(({ colourBlocks }) => colourBlocks(element), () => {});
}

/** Whether a text is so few emoji that they are shown large. */
export const isLarge = (text) => text.length <= 2 * MAX_LARGE_LENGTH && [...text].length <= MAX_LARGE_LENGTH && LARGE_EMOJI.test(text);

function keepSource(element, text, mentions) {
  element.dataset.source = text;
  if (mentions.length) element.dataset.mentions = mentions.map(({ id, start, length }) => `${id}:${start}:${length}`).join(' ');
}

function nodesOf(tree, myId) {
  const nodes = tree.map((node) => (typeof node === 'string' ? node : MAKERS[node[0]](myId, ...node.slice(1))));
  if (nodes[0] instanceof Element && nodes[0].matches(BLOCKS)) nodes[0].classList.add('first'); // there is no text before it
  return nodes;
}

function make(tag, properties, children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

const inline = (tag) => (myId, tree) => make(tag, {}, nodesOf(tree, myId));
const items = (trees, myId) => trees.map((tree) => make('li', {}, nodesOf(tree, myId)));

const MAKERS = {
  ...Object.fromEntries(Object.entries(TAGS).map(([kind, tag]) => [kind, inline(tag)])),
  mention: (myId, id, text) => make('strong', { className: id === myId || id === EVERYBODY ? 'mention mention-me' : 'mention' }, [text]),
  // An address is left to right, whatever the direction of the text around it.
  address: (myId, href) => make('a', { ...toPage(href), dir: 'ltr' }, [href]),
  // Of a link one sees where it leads. Marks of direction in its words, or letters in its address, turn nothing beside them.
  link: (myId, href, tree) => make('a', { ...toPage(href), dir: 'auto', title: `\u2066${href}\u2069` }, nodesOf(tree, myId)),
  quote: (myId, tree) => make('blockquote', { dir: 'auto' }, nodesOf(tree, myId)),
  list: (myId, trees) => make('ul', { dir: 'auto' }, items(trees, myId)),
  numbers: (myId, first, trees) => make('ol', first === 1 ? { dir: 'auto' } : { dir: 'auto', start: first }, items(trees, myId)),
  block: (myId, language, tree) => makeBlock(language, nodesOf(tree, myId), plainOf(tree).split('\n').length),
};

const toPage = (href) => ({ href, target: '_blank', rel: 'noopener noreferrer' });

function makeBlock(word, nodes, lineCount) {
  const block = fromTemplate('code-block-template');
  const language = own(ALIASES, word) ?? word;
  block.dataset.language = own(NAMES, language) ? language : '';
  setText(part(block, 'language'), own(NAMES, language) ?? (word || gettext('Code')));
  find('code', block).replaceChildren(...nodes);
  if (lineCount > MAX_LINES) setText(find('.fold-more', block), ngettext('Show all %(num)s lines', 'Show all %(num)s lines', lineCount));
  else find('.fold', block).remove();
  return block;
}

function makeFold(kind) {
  const fold = fromTemplate('fold-template');
  fold.dataset.fold = kind;
  return fold;
}

/** Whether more than MAX_LINES lines are shown: "wide" if so in every window, "narrow" if on a phone. Code is folded by itself. */
function foldOf(text, tree) {
  if (text.length <= MAX_LINES * WIDTHS.narrow && text.split('\n').length <= MAX_LINES) return '';
  const lengths = plainOf(tree.filter(([kind]) => kind !== 'block')).split('\n').map((line) => [...line].length);
  const isLong = ([, width]) => lengths.reduce((sum, length) => sum + Math.max(1, Math.ceil(length / width)), 0) > MAX_LINES;
  return Object.entries(WIDTHS).find(isLong)?.[0] ?? '';
}
