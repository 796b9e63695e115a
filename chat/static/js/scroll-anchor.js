/**
 * Keeps in place what the reader looks at, while rows come and go and the window changes its size: a reader at the end
 * stays at the end, any other keeps the first visible row where it was.
 */

import { findAll } from './page.js';

const AT_END_PX = 100; // so near to the bottom a reader counts as being there

export class ScrollAnchor {
  wasAtEnd = false;
  #kept = null; // {row, top, share, width, height}: the first visible row, in a window of that size

  /** `scroll` is the element that scrolls; `followsEnd()` tells whether its end is that of the conversation. */
  constructor(scroll, { followsEnd, onEnd }) {
    Object.assign(this, { scroll, followsEnd, onEnd });
  }

  get isAtEnd() {
    return this.followsEnd() && this.isNearBottom;
  }

  get isNearBottom() {
    return this.restPx <= AT_END_PX;
  }

  /** How far the reader can still scroll down. */
  get restPx() {
    return this.scroll.scrollHeight - this.scroll.scrollTop - this.scroll.clientHeight;
  }

  topOf(element) {
    return element.getBoundingClientRect().top - this.scroll.getBoundingClientRect().top;
  }

  /** The first row that is visible, by binary search. */
  firstVisible() {
    const rows = findAll('li.message', this.scroll);
    let [first, end] = [0, rows.length];
    while (first < end) {
      const middle = (first + end) >> 1;
      if (this.topOf(rows[middle]) + rows[middle].offsetHeight > 0) end = middle;
      else first = middle + 1;
    }
    return rows[first];
  }

  /** Scrolls so that the top of `element` is `top` pixels below that of the window. */
  show(element, top) {
    this.scroll.scrollTop += this.topOf(element) - top;
  }

  toBottom() {
    this.scroll.scrollTop = this.scroll.scrollHeight;
    this.remember();
    if (this.wasAtEnd) this.onEnd();
  }

  /** Remembers what the reader looks at, for `keep`. */
  remember() {
    this.wasAtEnd = this.isAtEnd;
    const row = this.wasAtEnd ? null : this.firstVisible();
    const top = row ? this.topOf(row) : 0;
    const { clientWidth: width, clientHeight: height } = this.scroll;
    this.#kept = { row, top, share: top < 0 ? top / row.offsetHeight : 0, width, height };
  }

  /** Whether the window has another size than when `remember` was called. */
  get isResized() {
    const { width, height } = this.#kept ?? {};
    return this.#kept && (width !== this.scroll.clientWidth || height !== this.scroll.clientHeight);
  }

  /** Restores what was remembered, after a change of the size of the window or of the text. */
  keep() {
    if (this.wasAtEnd) return this.toBottom();
    const { row, top, share } = this.#kept ?? {};
    // Of a row that begins above the window the same share stays hidden, for its lines may be fewer now.
    if (row?.isConnected) this.show(row, share ? share * row.offsetHeight : top);
    this.remember();
  }

  /** Changes rows by `mutate`, without moving what the reader looks at. */
  hold(mutate) {
    const { isAtEnd } = this;
    const row = isAtEnd ? null : this.firstVisible();
    const top = row && this.topOf(row);
    mutate();
    if (isAtEnd) return this.toBottom();
    if (row?.isConnected) this.show(row, top);
    this.remember();
  }
}
