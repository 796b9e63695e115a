/**
 * Stars and tildes find their partners, and what stands between them becomes a node.
 *
 * The rules are those of CommonMark; so is the way to find partners, which looks at each run of stars a fixed number of times.
 * chat/conversations/emphasis.py does the same.
 */

const MAX_NESTED = 16; // of bold, italic and struck in one another; marks of deeper ones are text
const KINDS = { '*': ['italic', 'bold'], '~': [null, 'struck'] };
const MARKS = { italic: '*', bold: '**', struck: '~~' };

/** Adds a text to a tree; two texts beside each other are one. */
export function addText(tree, text) {
  if (!text) return;
  if (typeof tree.at(-1) === 'string') tree.push(tree.pop() + text);
  else tree.push(text);
}

/** The tree of items, after each run has found its partners. */
export function built(items, runs) {
  pair(runs);
  const outer = [];
  let tree = [];
  let tooDeep = 0; // partners that are open and stay text
  for (const item of items) {
    if (typeof item === 'string') {
      addText(tree, item);
    } else if (Array.isArray(item)) {
      tree.push(item);
    } else {
      for (const kind of item.closes) {
        if (tooDeep) {
          addText(tree, MARKS[kind]);
          tooDeep -= 1;
          continue;
        }
        const node = [kind, tree];
        tree = outer.pop();
        tree.push(node);
      }
      addText(tree, item.mark.repeat(item.left));
      for (const kind of item.opens.toReversed()) {
        if (outer.length === MAX_NESTED) {
          addText(tree, MARKS[kind]);
          tooDeep += 1;
          continue;
        }
        outer.push(tree);
        tree = [];
      }
    }
  }
  return tree;
}

/** Finds the partners of runs. `lowest` has for each kind of closer the index below which no opener matches. It keeps the search linear. */
function pair(runs) {
  const openers = [];
  const lowest = new Map();
  for (const closer of runs) {
    const key = `${closer.mark}${closer.canOpen}${closer.length % 3}`;
    while (closer.canClose && closer.left) {
      const end = lowest.get(key) ?? 0;
      let at = openers.length - 1;
      while (at >= end && !arePartners(openers[at], closer)) at -= 1;
      if (at < end) {
        lowest.set(key, openers.length);
        break;
      }
      const opener = openers[at];
      const count = opener.left > 1 && closer.left > 1 ? 2 : 1;
      const kind = KINDS[closer.mark][count - 1];
      opener.opens.push(kind);
      closer.closes.push(kind);
      opener.left -= count;
      closer.left -= count;
      openers.length = opener.left ? at + 1 : at;
      for (const [known, index] of lowest) lowest.set(known, Math.min(index, openers.length));
    }
    if (closer.canOpen && closer.left) openers.push(closer);
  }
}

function arePartners(opener, closer) {
  if (opener.mark !== closer.mark) return false;
  const isEither = opener.canClose || closer.canOpen;
  return !isEither || (opener.length + closer.length) % 3 !== 0 || (opener.length % 3 === 0 && closer.length % 3 === 0);
}
