/**
 * A roving tabindex for the times of the messages, each of which opens the details of its message. Only one of them is
 * in the Tab order: the one that had the focus last, else the newest. The arrow keys lead to the others. With it are the
 * quote and the reactions of its message, and what copies or unfolds its text.
 */

import { findAll } from './page.js';

const TIMES = 'li.message [data-part="details"]';
const COMPANIONS = '[data-part="quote"], .chip, .code-head > button, .fold > summary';

/** Puts what belongs to the message of a time into the Tab order with it, or takes it out. */
function setTabIndex(time, tabIndex) {
  time.tabIndex = tabIndex;
  for (const element of findAll(COMPANIONS, time.closest('li.message'))) element.tabIndex = tabIndex;
}

/** Does so for the times in `list`, until `signal` ends it. */
export function addRovingTabindex(list, signal) {
  if (signal.aborted) return;
  let stop = null;
  let isVisited = false;
  const times = () => findAll(TIMES, list);

  const moveTo = (time) => {
    if (stop && stop !== time) setTabIndex(stop, -1);
    if (time) setTabIndex(time, 0);
    stop = time;
  };
  const follow = () => {
    if (!isVisited || !stop?.isConnected) moveTo(times().at(-1));
  };
  const focused = ({ target }) => {
    const time = target.closest('li.message')?.querySelector(TIMES);
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

  for (const time of times()) {
    time.ariaHasPopup = 'dialog';
    setTabIndex(time, -1);
  }
  follow();
  const changes = new MutationObserver(follow);
  changes.observe(list, { childList: true });
  signal.addEventListener('abort', () => changes.disconnect());
  list.addEventListener('focusin', focused, { signal });
  list.addEventListener('keydown', pressed, { signal });
}
