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
    let previous = null; // the row before; null at the beginning and after the gap
    let day = null; // the day separator and the divider that stand between it and the next row
    let divider = null;
    for (const element of [...this.list.children]) {
      if (element === this.#gap) {
        previous?.classList.add('last-of-group');
        previous = null;
      } else if (element.matches('.day')) {
        day?.remove(); // the rows between two day separators have been removed
        day = element;
      } else if (element === this.divider) {
        divider = element;
      } else if (this.#about.has(element)) {
        this.#separateDays(previous, element, { day, divider });
        this.#group(previous, element, { isDivided: divider !== null });
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

  /** Puts a day separator between two rows of different days: the one that is there, or a new one above the divider. */
  #separateDays(previous, row, { day, divider }) {
    const about = this.#about.get(row);
    if (this.#about.get(previous)?.day === about.day) {
      day?.remove();
      return;
    }
    const separator = day ?? fromTemplate('day-template');
    if (!day) (divider ?? row).before(separator);
    showDay(part(separator, 'day'), about);
  }

  /** Makes two rows one group, or ends the group of the first one. The divider separates groups too. */
  #group(previous, row, { isDivided }) {
    const before = this.#about.get(previous);
    const isGrouped = Boolean(before) && !isDivided && continuesGroup(before, this.#about.get(row));
    row.classList.toggle('grouped', isGrouped);
    row.classList.toggle('first-of-group', !isGrouped);
    previous?.classList.toggle('last-of-group', !isGrouped);
  }
}
