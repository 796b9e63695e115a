/** Asks for what is to be fetched of a conversation. What fetches it, the MessageHistory, is loaded later. */

import { loadConversationMore } from './load-conversation-more.js';

const RETRY_MS = 2_000;

export class HistoryRequests {
  #history = null; // the MessageHistory
  #timer;

  /** `onRetry()` is called some time after the module has not come: all that is to be fetched is to be asked for again. */
  constructor(messageList, onRetry) {
    Object.assign(this, { messageList, onRetry });
  }

  /** Calls a method of the MessageHistory. */
  async call(name, ...values) {
    const { messageList } = this;
    const more = await loadConversationMore().catch(() => null);
    if (messageList.signal.aborted) return;
    if (!more) {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(this.onRetry, RETRY_MS);
      return;
    }
    this.#history ??= new more.MessageHistory(messageList);
    await this.#history[name](...values);
  }
}
