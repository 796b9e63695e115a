/** Whether one is writing code. */

const FENCE = /^ {0,3}(`{3,}(?=[^`]*$)|~{3,})/;

/** Whether one is writing a block of code: there Enter begins a line. */
export const isInBlock = ({ value, selectionStart }) => endsInBlock(value.slice(0, selectionStart));

/** Whether the end of a text is inside code: a block that is open, or a line with an open backtick. */
export function isInCode(text) {
  let open = ''; // the backticks that began code in the last line; as many end it
  for (const [run] of text.slice(text.lastIndexOf('\n') + 1).matchAll(/`+/g)) open = open === run ? '' : open || run;
  return open !== '' || endsInBlock(text);
}

function endsInBlock(text) {
  let open = '';
  for (const line of text.split('\n')) {
    const mark = FENCE.exec(line)?.[1];
    if (!mark) continue;
    if (!open) open = mark;
    else if (mark[0] === open[0] && mark.length >= open.length && line.trim() === mark) open = '';
  }
  return open !== '';
}
