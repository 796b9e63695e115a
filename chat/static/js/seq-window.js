/**
 * Which messages of a conversation are on the page: those from `first` to `last`, of all up to `head`.
 *
 * A pushed message may be late, come twice or be lost; what the server stores is the truth. `seq` counts 1, 2, 3 … without
 * a gap. So a message that does not follow the last one is either known, or shows that those between are to be fetched.
 */

const PAGE_LENGTH = 200; // messages; the most that the server gives at once

export class SeqWindow {
  /** If there are no messages, `first` is `last + 1`. */
  constructor({ first, last, head = last }) {
    this.reset({ first, last, head });
  }

  reset({ first, last, head = last }) {
    this.first = first;
    this.last = last;
    this.head = Math.max(head, last);
    // Whether new messages are shown as they come. Where the reader is far from the newest ones, they are not.
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

  /** Takes a page of older messages. Returns those that come right before the first one, in ascending order. */
  prepend(messages) {
    const show = [];
    for (const message of [...messages].reverse()) {
      if (message.seq !== this.first - 1) continue;
      this.first = message.seq;
      show.unshift(message);
    }
    return show;
  }

  /** Takes a page of newer messages, fetched by scrolling. With the newest one of all, new messages are shown again. */
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
