/** A long press of a finger on a message. What the browser would do with it, and the click at its end, do not happen. */

const LONG_PRESS_MS = 400;
const MAX_MOVE_PX = 10; // a finger is never quite still
const CLICK_DELAY_MS = 350; // in which the click comes after a finger is lifted
const OWN_MENU = 'a[target], summary, .code-head > button, [data-part="failed"]'; // the browser has more to offer for a link

export class LongPress {
  #timer;
  #start; // {x, y}
  #isSwallowing = false;

  /** Calls `onPress(target)` for each in `list`. */
  constructor(list, onPress, signal) {
    Object.assign(this, { list, onPress });
    list.addEventListener('pointerdown', (event) => this.begin(event), { signal, passive: true });
    for (const type of ['pointerup', 'pointercancel']) addEventListener(type, () => this.#lifted(), { signal, passive: true });
    addEventListener('pointermove', (event) => this.#moved(event), { signal, passive: true });
    list.addEventListener('contextmenu', (event) => this.#contextMenu(event), { signal });
    addEventListener('pointerdown', () => { this.#isSwallowing = false; }, { signal, passive: true, capture: true }); // another finger
    addEventListener('click', (event) => this.#isSwallowing && this.#refuse(event), { signal, capture: true });
    list.closest('#history-scroll').addEventListener('scroll', () => this.#end(), { signal, passive: true });
  }

  begin({ pointerType, isPrimary, target, clientX, clientY }) {
    this.#end();
    if (pointerType === 'mouse' || !isPrimary || target.closest(OWN_MENU)) return;
    this.#start = { x: clientX, y: clientY };
    this.#timer = setTimeout(() => {
      this.#isSwallowing = true;
      this.onPress(target);
    }, LONG_PRESS_MS);
  }

  #moved({ clientX, clientY }) {
    if (this.#start && Math.hypot(clientX - this.#start.x, clientY - this.#start.y) > MAX_MOVE_PX) this.#end();
  }

  #end() {
    clearTimeout(this.#timer);
    this.#start = null;
  }

  #lifted() {
    this.#end();
    if (this.#isSwallowing) setTimeout(() => { this.#isSwallowing = false; }, CLICK_DELAY_MS);
  }

  /** The mouse has the menu of the browser; of a finger and of the keyboard it is the sheet, or the menu of the message. */
  #contextMenu(event) {
    if (event.pointerType !== 'mouse' && !event.target.closest(OWN_MENU)) this.#refuse(event);
  }

  #refuse(event) {
    event.preventDefault();
    event.stopPropagation();
  }
}
