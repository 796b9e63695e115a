/**
 * A roving tabindex for the times of the messages, each of which opens the details of its message. Only one of them is
 * in the Tab order: the one that had the focus last, else the newest. The arrow keys lead to the others.
 */

import { findAll } from './page.js';

const TIMES = 'li.message [data-part="details"]';

/** Does so for the times in `list`, until `signal` ends it. */
export function addRovingTabindex(list, signal) {
  if (signal.aborted) return;
  let stop = null;
  let isVisited = false;
  const times = () => findAll(TIMES, list);

  const moveTo = (time) => {
    if (stop) stop.tabIndex = -1;
    if (time) time.tabIndex = 0;
    stop = time;
  };
  const follow = () => {
    if (!isVisited || !stop?.isConnected) moveTo(times().at(-1));
  };
  const focused = ({ target }) => {
    const time = target.closest(TIMES);
    if (!time) return;
    isVisited = true;
    moveTo(time);
  };
  const pressed = (event) => {
    const time = event.target.closest(TIMES);
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!time || event.altKey || event.ctrlKey || event.metaKey) return;
    if (step) times()[times().indexOf(time) + step]?.focus();
    else if (event.key === 'Enter' && !time.href) time.click(); // what waits to be sent has no address yet
    else return;
    event.preventDefault();
  };

  for (const time of times()) Object.assign(time, { tabIndex: -1, ariaHasPopup: 'dialog' });
  follow();
  const changes = new MutationObserver(follow);
  changes.observe(list, { childList: true });
  signal.addEventListener('abort', () => changes.disconnect());
  list.addEventListener('focusin', focused, { signal });
  list.addEventListener('keydown', pressed, { signal });
}
