/** Changes of the text in a field that the browser can undo. */

/** Puts `text` in the place of what stands from `start` to `end`; the caret comes after it. The field has the focus then. */
export function replaceText(field, start, end, text) {
  field.focus({ preventScroll: true });
  field.setSelectionRange(start, end);
  const isDone = text ? document.execCommand('insertText', false, text) : document.execCommand('delete');
  if (!isDone) replaceQuietly(field, start, end, text);
}

/** The same without the focus, which on touch would open the keyboard. It cannot be undone. */
export function replaceQuietly(field, start, end, text) {
  field.setRangeText(text, start, end, 'end');
  field.dispatchEvent(new InputEvent('input', { bubbles: true })); // the draft is saved, the field grows
}

/** Shows another text in a field. The caret stays where it was in what both have in common. */
export function showText(field, text) {
  const { value, selectionStart, selectionEnd } = field;
  if (value === text) return;
  let same = 0; // how many characters are the same at the beginning
  while (same < text.length && value[same] === text[same]) same += 1;
  const moved = (place) => (place <= same ? place : Math.max(same, text.length - (value.length - place)));
  field.value = text;
  field.setSelectionRange(moved(selectionStart), moved(selectionEnd));
}
