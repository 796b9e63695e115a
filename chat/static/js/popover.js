/** A panel beside an element, over everything else. Esc and a press elsewhere close it; the focus returns to where it came from. */

import { find, isComposing } from './page.js';

const MARGIN_PX = 8; // from the edges of the window
const GAP_PX = 6; // from the element

/**
 * Opens `content` beside `anchor`. `onClosed()` is called when it is closed, by itself or by `close()` of what is returned;
 * the focus returns to `returnTo` unless it is elsewhere by then. `label` names what is no menu.
 */
export function openPopover(content, anchor, { label, returnTo = anchor, onClosed = () => {} } = {}) {
  const panel = document.createElement('div');
  panel.className = 'popover';
  panel.popover = 'auto';
  if (label) Object.assign(panel, { role: 'dialog', ariaLabel: label });
  panel.append(content);
  find('#main').append(panel); // in the landmark of what it is about; it goes with it
  const ended = new AbortController();
  const { signal } = ended;
  const place = () => (anchor.isConnected ? placeBeside(panel, anchor) : panel.hidePopover());
  const close = () => {
    if (signal.aborted) return;
    ended.abort();
    const hadFocus = panel.contains(document.activeElement) || document.activeElement === document.body;
    panel.remove();
    if (hadFocus && returnTo.isConnected) returnTo.focus({ preventScroll: true });
    onClosed();
  };
  panel.addEventListener('toggle', ({ newState }) => newState === 'closed' && close(), { signal });
  panel.addEventListener('keydown', (event) => keyPressed(event, close), { signal }); // the keys of the page (keyboard.js) do nothing meanwhile
  panel.addEventListener('contextmenu', (event) => event.preventDefault(), { signal }); // the key that opened it, let go
  addEventListener('scroll', ({ target }) => panel.contains(target) || place(), { capture: true, passive: true, signal });
  addEventListener('resize', place, { signal });
  panel.showPopover();
  place();
  return { panel, close, place };
}

function keyPressed(event, close) {
  event.stopPropagation();
  if (event.key !== 'Escape' || isComposing(event)) return; // a composition ends with it, not the panel
  event.preventDefault();
  close();
}

/** Below the element, above it where there is more room; at its start, and inside the window. */
function placeBeside(panel, anchor) {
  const { left, right, top, bottom } = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = panel;
  const isRtl = getComputedStyle(anchor).direction === 'rtl';
  const fitsBelow = bottom + GAP_PX + height <= innerHeight - MARGIN_PX;
  const y = fitsBelow || top < innerHeight - bottom ? bottom + GAP_PX : top - GAP_PX - height;
  const x = isRtl ? right - width : left;
  panel.style.left = `${clamp(x, innerWidth - width)}px`;
  panel.style.top = `${clamp(y, innerHeight - height)}px`;
}

const clamp = (value, most) => Math.max(MARGIN_PX, Math.min(value, most - MARGIN_PX));
