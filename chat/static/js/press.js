/** Where a button or a link is pressed. One that is replaced before the pointer is lifted is never clicked: what renews it waits. */

const CLICK_MS = 100; // from the lifting of a finger to its click

let pressed = null; // what the pointer is on, until it has clicked
let timer;
let waiting = []; // functions

const listen = (type, listener) => document.addEventListener(type, listener, { capture: true, passive: true });

function endAfter(delayMs) {
  clearTimeout(timer);
  timer = setTimeout(() => {
    pressed = null;
    const ended = waiting;
    waiting = [];
    for (const resume of ended) resume();
  }, delayMs);
}

listen('pointerdown', ({ target, button }) => {
  clearTimeout(timer);
  if (button === 0) pressed = target;
});
listen('click', () => endAfter(0)); // after what it does
listen('pointerup', () => endAfter(CLICK_MS));
listen('pointercancel', () => endAfter(0));

/** Resolves when nothing in an element is pressed. */
export async function released(element) {
  while (element.contains(pressed)) await new Promise((resolve) => { waiting.push(resolve); });
}
