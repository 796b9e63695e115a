/**
 * What stands between the rows: the days, the divider above the first unread message, and the gap; and which rows are a
 * group, the messages of one sender within a few minutes.
 */

import { showDay } from './dates.js';
import { find, findAll, fromTemplate, part } from './page.js';

const GROUP_MS = 5 * 60_000;
const WITHOUT_SEQ = 'li.message:not([data-seq])';

const dateOf = (date) => date.toLocaleDateString('sv'); // YYYY-MM-DD of the reader's zone

/** Whether two messages `{senderId, date, day}` are of one group. */
export function continuesGroup(previous, next) {
  return previous.senderId === next.senderId && previous.day === next.day && Math.abs(next.date - previous.date) < GROUP_MS;
}

export class Separators {
  divider = null; // the element
  #dividedAt = 0; // seq of the first message below the divider
  #gap = fromTemplate('gap-template');
  #about = new WeakMap(); // row → {senderId, date, day}
  #today;

  constructor(list) {
    this.list = list;
  }

  /** Reads off a row who sent it, and on which day. */
  register(row) {
    const date = new Date(part(row, 'time').dateTime);
    // A notice is in no group.
    const senderId = row.matches('.notice') ? NaN : Number(row.dataset.senderId);
    this.#about.set(row, { senderId, date, day: dateOf(date) });
  }

  /** Whether the day called "Today" is over. */
  get isOutdated() {
    return this.#today !== dateOf(new Date());
  }

  /** Whether an element of the list stands in the order of the messages: the gap does not, nor what has no seq yet. */
  isPlaced(element) {
    return element !== this.#gap && !element.matches(WITHOUT_SEQ);
  }

  /**
   * Puts the divider before the first of the unread `rows`, unless it stands before a message that is unread already.
   * Returns whether it did.
   */
  divide(rows, readSeq) {
    if (!rows.length || (this.divider?.isConnected && this.#dividedAt > readSeq)) return false;
    this.divider?.remove();
    this.divider = fromTemplate('unread-template');
    this.#dividedAt = Number(rows[0].dataset.seq);
    rows[0].before(this.divider);
    return true;
  }

  removeDivider() {
    this.divider?.remove();
    this.divider = null;
  }

  /**
   * Gives every day its separator and every group its corners, after any change of rows. Returns whether there are
   * messages. `hasGap` says that the newest messages are not on the page: what has no seq yet comes below a gap then.
   */
  arrange({ hasGap }) {
    this.#today = dateOf(new Date());
    this.#putGap(hasGap);
    let previous, day, divider;
    for (const element of [...this.list.children]) {
      if (element === this.#gap) {
        previous?.classList.add('last-of-group');
        previous = null;
      } else if (element.matches('.day')) {
        day?.remove();
        day = element;
      } else if (element === this.divider) {
        divider = element;
      } else if (this.#about.has(element)) {
        this.#join(previous, element, divider ?? element, day, Boolean(divider));
        previous = element;
        day = divider = null;
      }
    }
    day?.remove();
    previous?.classList.add('last-of-group');
    return Boolean(previous);
  }

  #putGap(hasGap) {
    const last = findAll('li[data-seq]', this.list).at(-1);
    if (last && hasGap && find(WITHOUT_SEQ, this.list)) last.after(this.#gap);
    else this.#gap.remove();
  }

  /** Separates a row from the previous one, or joins the two in a group. The day of the row, if it is new, goes before `top`. */
  #join(previous, row, top, day, isDivided) {
    const before = this.#about.get(previous);
    const about = this.#about.get(row);
    if (before?.day === about.day) {
      day?.remove();
    } else {
      const separator = day ?? fromTemplate('day-template');
      if (!day) top.before(separator);
      showDay(part(separator, 'day'), about);
    }
    const isGrouped = Boolean(before) && !isDivided && continuesGroup(before, about);
    row.classList.toggle('grouped', isGrouped);
    row.classList.toggle('first-of-group', !isGrouped);
    previous?.classList.toggle('last-of-group', !isGrouped);
  }
}
