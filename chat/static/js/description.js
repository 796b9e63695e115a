/**
 * The name and the description of a file stand in the address of its upload, and servers and proxies take addresses of 8 KB: a letter of
 * English has one byte there, one of Chinese nine.
 */

export const MAX_DESCRIPTION = 5_000; // bytes, as in an address
export const MAX_NAME = 2_400; // bytes of a name in the upload's address

const lengthOf = (point) => new URLSearchParams({ '': point }).toString().length - 1;

/** The beginning of a text that has at most so many bytes in an address. */
export function fitting(text, most) {
  const points = [...text];
  let left = most;
  const end = points.findIndex((point) => (left -= lengthOf(point)) < 0);
  return end < 0 ? text : points.slice(0, end).join('');
}
