/**
 * The log of one conversation, as numbers: which run of `seq` this window holds, and what it lacks.
 *
 * A pushed message is only a hint that may be late, twice or lost; the server's store is the truth.
 * `seq` runs 1, 2, 3 … without a gap: what does not follow the last one held is known, or a gap to fetch.
 */

const PAGE_LENGTH = 200; // messages; the most that the server gives at once

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
