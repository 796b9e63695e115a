/** Blocks of code on the page: their colours, and the button that copies. Loaded when the first one appears. */

import { copyText } from './clipboard.js';
import { gettext } from './i18n.js';
import { find, findAll, part, setText } from './page.js';

const COPIED_MS = 2_000;
const MAX_COLOURED = 8_000; // characters: more than a message has

const loadHighlighter = () => import('./highlighter.js');

/** Colours the blocks in `root` whose language is known. Without the library they stay as they are. */
export async function colourBlocks(root) {
  for (const block of findAll('.code-block', root)) letScroll(block);
  const blocks = findAll('.code-block[data-language]:not([data-language=""], [data-coloured])', root);
  if (!blocks.length) return;
  const { tokensOf } = await loadHighlighter();
  for (const block of blocks) {
    const code = find('code', block);
    if (block.dataset.coloured !== undefined || code.textContent.length > MAX_COLOURED) continue;
    block.dataset.coloured = '';
    const tokens = await tokensOf(code.textContent, block.dataset.language).catch(() => null);
    if (tokens) colour(code, tokens);
    else delete block.dataset.coloured;
  }
}

/** A block that is wider than its bubble is scrolled by keys too. */
function letScroll(block) {
  const pre = find('pre', block);
  if (pre.scrollWidth <= pre.clientWidth) return;
  Object.assign(pre, { tabIndex: 0, role: 'region', ariaLabel: part(block, 'language').textContent });
}

/** Puts each token `{text, kind}` into an element of its kind. Mentions in the code stay what they are. */
function colour(code, tokens) {
  const mentions = mentionsIn(code);
  const nodes = [];
  let at = 0;
  for (const { text, kind } of tokens) {
    const end = at + text.length;
    while (at < end) {
      const mention = mentions.find((one) => one.end > at);
      const isIn = mention?.start <= at;
      const next = Math.min(end, isIn ? mention.end : mention?.start ?? end);
      const words = text.slice(text.length - (end - at), text.length - (end - next));
      if (isIn) addTo(nodes, mention.element, words);
      else nodes.push(kind ? Object.assign(document.createElement('span'), { className: `code-${kind}`, textContent: words }) : words);
      at = next;
    }
  }
  code.replaceChildren(...nodes);
}

function addTo(nodes, element, words) {
  if (nodes.at(-1) === element) return element.append(words);
  element.textContent = words;
  nodes.push(element);
}

function mentionsIn(code) {
  const mentions = [];
  let at = 0;
  for (const node of code.childNodes) {
    const end = at + node.textContent.length;
    if (node.nodeType === Node.ELEMENT_NODE) mentions.push({ element: node, start: at, end });
    at = end;
  }
  return mentions;
}

/** Copies the code of the block of a button, which says so for a moment; `say` tells a screen reader. */
export async function copyCode(button, say) {
  const word = part(button, 'copy-word');
  try {
    await copyText(find('code', button.closest('.code-block')).textContent);
  } catch {
    return say(gettext('The text could not be copied.'));
  }
  setText(word, gettext('Copied'));
  button.dataset.copied = '';
  say(gettext('Copied'));
  setTimeout(() => {
    delete button.dataset.copied;
    setText(word, gettext('Copy'));
  }, COPIED_MS);
}
