/**
 * What is fetched of a conversation: the pages that its reader scrolls to, and what was missed. Loaded later (message-list.js).
 */

import { MessageLoader } from './message-loader.js';

const PAGE_LENGTH = 60; // messages that scrolling fetches
const UNREAD_LENGTH = 200; // messages around the first unread one; the most that the server gives at once
const CONTEXT_LENGTH = 30; // messages before the one that is looked for

export class MessageHistory {
  /** `messageList` shows what is fetched. */
  constructor(messageList) {
    this.messageList = messageList;
    this.loader = new MessageLoader(messageList.messagesUrl, ({ lastChange }) => messageList.changes.readPage(lastChange), messageList.signal);
  }

  /** Shows the page around a message, with what follows up to `limit`. Where it cannot be fetched, what is there stays. */
  async showAround(seq, limit = PAGE_LENGTH) {
    const isHere = ({ messages }) => messages.some((message) => message.seq === seq);
    const first = { after: Math.max(0, seq - CONTEXT_LENGTH), limit };
    const page = await this.loader.fetch(first).catch(() => null);
    // A page ends where its texts are too long together: then it is fetched from the message on, and what is before as one scrolls.
    const shown = page && !isHere(page) ? await this.loader.fetch({ after: seq - 1, limit }).catch(() => null) : page;
    if (shown) this.#showInstead(shown);
  }

  showUnread(seq) {
    return this.showAround(seq, UNREAD_LENGTH);
  }

  loadOlder() {
    const { rows, seqWindow } = this.messageList;
    this.#load(seqWindow.olderRange(PAGE_LENGTH), ({ messages }) => {
      this.messageList.change(() => rows.prepend(seqWindow.prepend(messages)));
    });
  }

  loadNewer() {
    const { rows, seqWindow } = this.messageList;
    this.#load(seqWindow.newerRange(PAGE_LENGTH), ({ messages, lastSeq }) => {
      this.messageList.change(() => seqWindow.append(messages, lastSeq).forEach((message) => rows.put(message)), { trimStart: true });
      this.messageList.showUnsent();
    });
  }

  /** Fetches the newest messages, unless their reader has scrolled back when they come. */
  loadEnd() {
    this.#load({ limit: PAGE_LENGTH }, (page) => {
      if (!this.messageList.wantsEnd) return;
      this.messageList.wantsEnd = false;
      this.#showInstead(page);
      this.messageList.anchor.toBottom();
    });
  }

  #showInstead({ messages, lastSeq }) {
    const { rows, seqWindow } = this.messageList;
    if (!messages.length) return;
    seqWindow.reset({ first: messages[0].seq, last: messages.at(-1).seq, head: Math.max(lastSeq, seqWindow.head) });
    rows.replaceAll(messages);
    this.messageList.arrange();
  }

  #load(range, show) {
    const lookAgain = () => this.messageList.look();
    this.loader.load(range, (page) => {
      show(page);
      lookAgain();
    }, lookAgain);
  }

  /** Fetches the messages that have come meanwhile. */
  catchUp() {
    this.loader.catchUp(this.messageList.seqWindow, (...page) => this.messageList.receive(...page));
  }

  /** Fetches the messages that have changed meanwhile. */
  catchUpWithChanges() {
    this.loader.catchUpWithChanges(this.messageList.changes, (messages) => this.messageList.update(messages));
  }
}
