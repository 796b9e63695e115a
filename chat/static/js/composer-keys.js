/** The keys that format what one writes, and pasted code. What they do is loaded later (composer-format.js). */

import { isInBlock } from './in-code.js';
import { later } from './later.js';
import { loadLaterStyles } from './later-styles.js';
import { isComposing } from './page.js';

const KEYS = { b: '**', i: '*', e: '`' };
const isMac = /^(Mac|iP)/.test(navigator.platform); // there Ctrl+B and Ctrl+E move the caret

const loadFormat = later(async () => {
  // A sheet that came after the offer would move it under the pointer.
  const [module] = await Promise.all([import('./composer-format.js'), loadLaterStyles()]);
  return module;
});

/** Listens to the field until `signal` ends it. */
export function listenForFormatting(field, signal) {
  field.addEventListener('keydown', (event) => {
    const mark = markOf(event);
    if (!mark || isComposing(event)) return;
    event.preventDefault();
    loadFormat().then(({ toggleMark }) => toggleMark(field, mark), () => {});
  }, { signal });
  field.addEventListener('paste', (event) => {
    const text = event.clipboardData?.getData('text/plain') ?? '';
    const editor = event.clipboardData?.getData('vscode-editor-data');
    const start = field.selectionStart;
    if (text.trim().includes('\n') && !isInBlock(field)) loadFormat().then(({ pasted }) => pasted(field, { text, editor, start }), () => {});
  }, { signal });
}

function markOf({ key, code, ctrlKey, metaKey, altKey, shiftKey }) {
  if (altKey || shiftKey || (isMac ? !metaKey || ctrlKey : !ctrlKey || metaKey)) return null;
  const letter = /^[a-z]$/i.test(key) ? key : code.replace('Key', ''); // without Latin letters it is the key in that place
  return KEYS[letter.toLowerCase()];
}
