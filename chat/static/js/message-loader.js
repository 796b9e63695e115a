/** Fetches pages of a conversation: those that scrolling asks for, one at a time, and those that a reader has missed. */

import { fetchMessages } from './http.js';

const RETRY_MS = 2_000;

export class MessageLoader {
  #isLoading = false;
  #isCatchingUp = false;
  #retryTimer;

  /** `signal` ends all. */
  constructor(messagesUrl, signal) {
    Object.assign(this, { messagesUrl, signal });
  }

  fetch(range) {
    return fetchMessages(this.messagesUrl, range, this.signal);
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
  async catchUp(seqWindow, receive) {
    if (this.#isCatchingUp || this.signal.aborted) return;
    this.#isCatchingUp = true;
    try {
      while (seqWindow.followsEnd && seqWindow.hasNewer) {
        const { last } = seqWindow;
        const page = await this.fetch(seqWindow.newerRange());
        receive(page.messages, page.lastSeq);
        if (seqWindow.last === last) break; // the page brought nothing: the next heartbeat asks again
      }
    } catch {
      setTimeout(() => this.catchUp(seqWindow, receive), RETRY_MS);
    } finally {
      this.#isCatchingUp = false;
    }
  }
}
