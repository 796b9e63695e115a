/** Copying a text. */

import { find } from './page.js';

/** Copies a text. Over plain http no browser has `navigator.clipboard`: there it is copied as one that is selected. Rejects where neither works. */
export async function copyText(text) {
  const isCopied = await navigator.clipboard?.writeText(text).then(() => true, () => false);
  if (!isCopied && !copySelected(text)) throw new Error('not copied');
}

function copySelected(text) {
  const focused = document.activeElement;
  const field = Object.assign(document.createElement('textarea'), { value: text, readOnly: true, className: 'sr-only' });
  (find('dialog[open]') ?? document.body).append(field); // outside an open dialog nothing can be selected
  field.select();
  const isCopied = document.execCommand('copy');
  field.remove();
  focused?.focus({ preventScroll: true });
  return isCopied;
}
