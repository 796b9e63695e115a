/**
 * What becomes of a change that the server has refused. A reaction, a pin and a deletion are gone, in words. A text that was
 * written stays: above the field, beside the text as it is now, for its writer to choose.
 */

import { showNotice } from './banner.js';
import { makeConflictCard } from './conflict-card.js';
import { fetchMessages } from './http.js';
import { gettext } from './i18n.js';
import { loadLaterStyles } from './later-styles.js';
import { versionOf } from './versions.js';

/** The words for a change that is gone; null for a text that stays. */
export function wordsOfRefusal({ verb }, { message, error: { message: reason, code } }) {
  if (verb.edit !== undefined && message?.deleted) return deletedWords();
  if (verb.edit !== undefined) return code === 'not_found' ? gettext('Your edit was not saved: %(reason)s', { reason }) : null;
  if (verb.delete) return gettext('The message was not deleted: %(reason)s', { reason });
  if (verb.react) return message?.deleted ? gettext('The message was deleted meanwhile.') : gettext('Your reaction was not saved: %(reason)s', { reason });
  return gettext('The message was not pinned: %(reason)s', { reason });
}

const deletedWords = () => gettext('The message was deleted meanwhile. Your edit was not saved.');

/** The cards of a conversation above its field, one for each edit that has failed. */
export class Conflicts {
  #cards = new Map(); // clientId of the entry → {card, lastChange: the version of the other text}

  constructor(form, messageList, outbox) {
    Object.assign(this, { form, messageList, outbox });
    this.place = Object.assign(document.createElement('div'), { id: 'conflicts' });
    form.before(this.place);
  }

  /** Shows the failed edits `entries` of the outbox, and no others. */
  show(entries) {
    for (const [clientId, { card }] of this.#cards) if (!entries.some((entry) => entry.clientId === clientId)) this.#remove(clientId, card);
    entries.forEach((entry) => this.#showOne(entry));
  }

  #remove(clientId, card) {
    const hadFocus = card.contains(document.activeElement);
    card.remove();
    if (hadFocus) this.form.elements.message.focus({ preventScroll: true });
    this.#cards.delete(clientId);
  }

  /** The message was deleted while this page did not hear it. */
  #forget({ seq }) {
    this.outbox.messageDeleted(this.messageList.key, seq);
    showNotice(deletedWords());
  }

  async #showOne({ clientId, target, verb, reason, code }) {
    const [theirs] = await Promise.all([currentMessage(this.messageList, target.seq), loadLaterStyles()]);
    const isFailed = this.outbox.changesOf(this.messageList.key, target).some((entry) => entry.clientId === clientId && entry.state === 'failed');
    if (!isFailed) return; // settled meanwhile
    if (theirs?.deleted) return this.#forget(target);
    const lastChange = theirs?.lastChange ?? verb.seen;
    const shown = this.#cards.get(clientId);
    if (shown?.lastChange === lastChange) return;
    const card = makeConflictCard({
      mine: verb.edit, theirs: theirs?.message ?? '', reason, isConflict: code === 'conflict',
      keepMine: () => {
        const basedOn = this.outbox.waitingEdit(this.messageList.key, target);
        this.outbox.retry(clientId, { verb: { ...verb, seen: lastChange }, basedOn });
      },
      takeTheirs: () => this.outbox.remove(clientId),
    });
    this.#cards.set(clientId, { card, lastChange });
    if (shown) shown.card.replaceWith(card);
    else this.place.append(card);
  }
}

/** The message as it is now, from the page or from the server; null without a connection. */
async function currentMessage({ key, rows, messagesUrl, signal }, seq) {
  const row = rows.withSeq(seq);
  const known = row ? rows.pending?.messageOf(row) : versionOf(key, seq);
  if (known) return known;
  const page = await fetchMessages(messagesUrl, { after: seq - 1, limit: 1 }, signal).catch(() => null);
  return page?.messages[0] ?? null;
}
