/**
 * Which changes of a conversation are known.
 *
 * Changes are numbered 1, 2, 3 … without a gap in each conversation. A change says that a message is different now, and the message
 * as it has become comes with it. So a number that does not follow the last one shows that changes are to be fetched, and
 * it does not matter if one comes twice.
 */

export class ChangeLog {
  /** `known`: every change up to this one is on the page. `onGap()` is called whenever changes are to be fetched, perhaps again. */
  constructor(known, onGap = () => {}) {
    this.known = this.head = known;
    this.onGap = onGap;
  }

  get hasGap() {
    return this.head > this.known;
  }

  /**
   * Takes the number of a change. `lastChange` is that of the message that came with it. If the message is older than the change, as in the
   * answer to somebody who has left the room, the number does not count as known.
   */
  receive(number, lastChange = number) {
    if (number === this.known + 1 && lastChange >= number) this.known = number;
    this.hear(number);
  }

  /** Takes the number of the last change, as a heartbeat has it. */
  hear(lastChange = 0) {
    this.head = Math.max(this.head, lastChange);
    if (this.hasGap) this.onGap();
  }

  /** Takes the last change number of a fetched page. What has changed since it was read may have been pushed while it was on its way. */
  readPage(lastChange = this.known) {
    this.known = Math.min(this.known, lastChange);
    this.hear(lastChange);
  }

  /**
   * Takes the messages that have changed after `after`, ascending by `lastChange`. Returns whether they brought anything. The server
   * reads `lastChange` before the messages, so they are complete only up to that number.
   */
  fetched(after, { messages, lastChange }) {
    const last = messages.at(-1)?.lastChange ?? after;
    const completeUpTo = Math.min(last, lastChange ?? last);
    if (after <= this.known) this.known = Math.max(this.known, completeUpTo); // otherwise `readPage` has set `known` back meanwhile
    this.head = Math.max(this.head, last, lastChange ?? 0); // without `onGap`: the caller fetches in a loop already
    return last > after || this.known < after;
  }
}

/** The newest versions of messages: of two, the one with the greater `lastChange` is the newer. */
export class Versions {
  #messages = new Map(); // id → M; the one that changed last is the last one

  /** `maxCount`: how many are remembered. */
  constructor(maxCount) {
    this.maxCount = maxCount;
  }

  get(id) {
    return this.#messages.get(id);
  }

  /** Takes a message as it has become. Returns whether that is news. */
  remember(id, message) {
    if (message.lastChange <= (this.get(id)?.lastChange ?? 0)) return false;
    this.#messages.delete(id);
    this.#messages.set(id, message);
    if (this.#messages.size > this.maxCount) this.#messages.delete(this.#messages.keys().next().value);
    return true;
  }

  /** The message as it is known by now: its change may have come before it. */
  newest(id, message) {
    const known = this.get(id);
    return known?.lastChange > message.lastChange ? known : message;
  }
}

/**
 * Takes messages that came, in whatever version, and the newest `seq` if it is known. Returns `{show, changed, fetch}`: those to put
 * at the end, those that are on the page in an older version, and the range to fetch next or null. `lastChangeOf(seq)` is that of the
 * version on the page, undefined if there is none.
 */
export function sortOut(seqWindow, messages, head, lastChangeOf) {
  const { show, fetch } = seqWindow.receive(messages, head);
  const isOlderThere = ({ seq, lastChange }) => lastChange > 0 && lastChange > (lastChangeOf(seq) ?? Infinity);
  return { show, changed: messages.filter((message) => !show.includes(message) && isOlderThere(message)), fetch };
}
