/**
 * What can be done to a message, for menus and keys: they call `conversation.messageActions`. All but marking and copying goes
 * through the outbox.
 */

import { say } from './announcer.js';
import { isConnectionLost, showNotice } from './banner.js';
import { copyText } from './clipboard.js';
import { ComposerTask } from './composer-task.js';
import { gettext } from './i18n.js';
import { change } from './outbox-changes.js';
import { markUnread } from './socket.js';

const unansweredWords = () => isConnectionLost() ? gettext('A conversation can be marked as unread when you are online again.')
  : gettext('The server did not answer. Please try again.');

export class Verbs {
  /** `conversation` has the rows, the composer, the outbox, and `goHome()`, which leaves it. */
  constructor(conversation) {
    this.conversation = conversation;
  }

  /** Takes the text back into the field. */
  edit(row) {
    const message = this.#shown(row);
    const { outbox, key } = this.conversation;
    const basedOn = outbox.waitingEdit(key, message);
    const seen = message.seq ? message.lastChange : 0;
    const edited = (edit) => this.#change(message, { edit, seen }, basedOn);
    if (!message.deleted) new ComposerTask(this.conversation.composer, { kind: 'edit', message, edited });
  }

  remove(row) {
    return this.#change(this.#shown(row), { delete: true });
  }

  react(row, emoji, on) {
    return this.#change(this.#shown(row), { react: emoji, on });
  }

  pin(row, on) {
    return this.#change(this.#shown(row), { pin: on });
  }

  reply(row) {
    const message = this.#shown(row);
    const { messageList, composer } = this.conversation;
    messageList.rows.willQuote(message);
    new ComposerTask(composer, { kind: 'reply', message });
  }

  async copy(row) {
    const { message } = this.#shown(row);
    await copyText(message).then(() => say(gettext('Copied')), () => showNotice(gettext('The text could not be copied.')));
  }

  /** The list shows the conversation as unread from this message on, until it is opened again. */
  async markUnread(row) {
    const { key, lists, goHome } = this.conversation;
    const ack = await markUnread(key, Number(row.dataset.seq));
    if (!ack?.ok) return showNotice(ack?.error.message ?? unansweredWords());
    lists.markedUnread(key);
    goHome();
  }

  /** The message of a row as its reader sees it. */
  #shown(row) {
    return this.conversation.messageList.rows.pending.shown(row);
  }

  #change({ seq, clientId }, verb, basedOn) {
    const { outbox, key, messageList } = this.conversation;
    const target = seq ? { seq, conversationId: messageList.conversationId } : { clientId };
    return change(outbox, key, target, verb, basedOn);
  }
}
