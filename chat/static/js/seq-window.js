/**
 * The log of one conversation, as numbers: which run of `seq` this window holds, and what it lacks.
 *
 * A pushed message is only a hint that may be late, twice or lost; the server's store is the truth.
 * `seq` runs 1, 2, 3 … without a gap: what does not follow the last one held is known, or a gap to fetch.
 */

const PAGE_LENGTH = 200; // messages; the most that the server gives at once
const GROUP_MS = 5 * 60_000;

export class SeqWindow {
  /** Holds the messages `first`..`last` of a conversation whose newest is `head`; none: `first = last + 1`. */
  constructor({ first, last, head = last }) {
    this.reset({ first, last, head });
  }

  reset({ first, last, head = last }) {
    this.first = first;
    this.last = last;
    this.head = Math.max(head, last);
    // A reader far up in the history does not follow: new messages wait.
    this.followsEnd = last >= this.head;
  }

  get hasOlder() {
    return this.first > 1;
  }

  get hasNewer() {
    return this.last < this.head;
  }

  /**
   * Takes what was pushed, fetched or acknowledged, in ascending order, and the newest `seq` if it is known.
   * Returns `{show, fetch}`: the messages to put at the end, and the range to fetch next or null.
   */
  receive(messages, head = 0) {
    const show = [];
    for (const message of messages) {
      this.head = Math.max(this.head, message.seq);
      if (this.followsEnd && message.seq === this.last + 1) {
        this.last = message.seq;
        show.push(message);
      }
    }
    this.head = Math.max(this.head, head);
    return { show, fetch: this.followsEnd && this.hasNewer ? this.newerRange() : null };
  }

  olderRange(limit) {
    return this.hasOlder ? { before: this.first, limit } : null;
  }

  newerRange(limit = PAGE_LENGTH) {
    return this.hasNewer ? { after: this.last, limit } : null;
  }

  /** Takes a page of older messages; returns those that join the run, ascending. */
  prepend(messages) {
    const show = [];
    for (const message of [...messages].reverse()) {
      if (message.seq !== this.first - 1) continue;
      this.first = message.seq;
      show.unshift(message);
    }
    return show;
  }

  /** Takes a page of newer messages for a window that does not follow; at the end it follows again. */
  append(messages, head) {
    this.followsEnd = true;
    const { show } = this.receive(messages, head);
    this.followsEnd = !this.hasNewer;
    return show;
  }

  dropOldest(count) {
    this.first += count;
  }

  dropNewest(count) {
    this.last -= count;
    if (count > 0) this.followsEnd = false;
  }
}

/**
 * What a page holds of a conversation: `{state, first, last, head, missing}`; null while there is nothing to number.
 *
 * `seqs` are read off its rows, ascending, so that a hole would show whatever the log says. `state` is complete,
 * fetching (newer ones are on their way), part (the reader is far up), unchecked (the server has not been heard
 * since the connection was lost) or broken (there is a hole); `missing` counts messages.
 */
export function completeness(seqs, { head, followsEnd }, isChecked = true) {
  const first = seqs[0] ?? 0;
  const last = seqs.at(-1) ?? 0;
  const newest = Math.max(head, last);
  if (newest === 0) return null;
  const holes = seqs.length && last - first + 1 - new Set(seqs).size;
  const missing = holes + (followsEnd ? newest - last : 0);
  let state = 'complete';
  if (holes) state = 'broken';
  else if (!isChecked) state = 'unchecked';
  else if (newest > last) state = followsEnd ? 'fetching' : 'part';
  return { state, first, last, head: newest, missing };
}

/** Whether two messages `{senderId, date, day}` stand together: of one sender and day, less than 5 minutes apart. */
export function continuesGroup(previous, next) {
  return previous.senderId === next.senderId && previous.day === next.day && Math.abs(next.date - previous.date) < GROUP_MS;
}
