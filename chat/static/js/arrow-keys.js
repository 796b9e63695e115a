/** Arrow keys, Home and End in a toolbar or a menu: one of its elements is in the Tab order, the keys lead to the others. */

import { findAll } from './page.js';

/** Moves the focus among `selector` in `root` as a key says, round at either end. Returns whether it did. */
export function moveByArrow(event, root, selector, { isVertical = false } = {}) {
  if (event.altKey || event.ctrlKey || event.metaKey) return false;
  const items = findAll(selector, root);
  const isRtl = getComputedStyle(root).direction === 'rtl';
  const next = items[targetOf(event.key, items.indexOf(document.activeElement), items.length, { isVertical, isRtl })];
  if (!next) return false;
  event.preventDefault();
  focusOnly(items, next);
  return true;
}

/** Where a key leads from the place `at` of `count`; undefined where it leads nowhere. */
export function targetOf(key, at, count, { isVertical, isRtl }) {
  if (key === 'Home') return 0;
  if (key === 'End') return count - 1;
  const forward = isVertical ? 'ArrowDown' : isRtl ? 'ArrowLeft' : 'ArrowRight';
  const back = isVertical ? 'ArrowUp' : isRtl ? 'ArrowRight' : 'ArrowLeft';
  if (key === forward) return (at + 1) % count;
  return key === back ? (at - 1 + count) % count : undefined;
}

/** Puts `item` alone of `items` into the Tab order, and the focus on it. */
export function focusOnly(items, item) {
  for (const other of items) other.tabIndex = other === item ? 0 : -1;
  item.focus();
}
