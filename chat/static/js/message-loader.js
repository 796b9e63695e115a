/** Fetches pages of a conversation: those that scrolling asks for, one at a time, and those that a reader has missed. */

import { fetchMessages } from './http.js';

const RETRY_MS = 2_000;
const CHANGES_LENGTH = 200; // changed messages; the most that the server gives at once

export class MessageLoader {
  #isLoading = false;
  #filling = new Set(); // the names of what is being caught up with
  #retryTimer;

  /** `onPage(page)` is called with each page before it is shown. `signal` ends all. */
  constructor(messagesUrl, onPage, signal) {
    Object.assign(this, { messagesUrl, onPage, signal });
  }

  async fetch(range) {
    const page = await fetchMessages(this.messagesUrl, range, this.signal);
    this.onPage(page);
    return page;
  }

  /**
   * Fetches the page of `range`, and calls `onPage(page)`, or after a pause `onRetry()` if it does not come. Without a
   * range the page is empty. While a page is under way nothing else is fetched: `onPage` of that one looks again.
   */
  async load(range, onPage, onRetry) {
    if (this.#isLoading) return;
    this.#isLoading = true;
    const page = range ? await this.fetch(range).catch(() => null) : { messages: [], lastSeq: 0 };
    this.#isLoading = false;
    if (this.signal.aborted) return;
    clearTimeout(this.#retryTimer);
    if (page) onPage(page);
    else this.#retryTimer = setTimeout(onRetry, RETRY_MS);
  }

  /** Fetches all that `seqWindow` lacks at its end, page by page; `receive(messages, head)` takes each. */
  catchUp(seqWindow, receive) {
    this.#fill('messages', () => seqWindow.followsEnd && seqWindow.hasNewer, async () => {
      const { last } = seqWindow;
      const page = await this.fetch(seqWindow.newerRange());
      receive(page.messages, page.lastSeq);
      return seqWindow.last > last;
    });
  }

  /** Fetches all changes that the ChangeLog `log` lacks, page by page; `take(messages)` takes what has changed. */
  catchUpWithChanges(log, take) {
    this.#fill('changes', () => log.hasGap, async () => {
      const { known } = log;
      const page = await fetchMessages(this.messagesUrl, { changedAfter: known, limit: CHANGES_LENGTH }, this.signal);
      take(page.messages);
      return log.fetched(known, page);
    });
  }

  /** Fetches while `hasGap()`. If `fetchNext()` has brought nothing, the next heartbeat asks again. */
  async #fill(name, hasGap, fetchNext) {
    if (this.#filling.has(name) || this.signal.aborted) return;
    this.#filling.add(name);
    try {
      while (hasGap() && (await fetchNext()));
    } catch {
      setTimeout(() => this.#fill(name, hasGap, fetchNext), RETRY_MS);
    } finally {
      this.#filling.delete(name);
    }
  }
}
