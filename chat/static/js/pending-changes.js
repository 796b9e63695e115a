/**
 * What was done to messages and waits in the outbox, shown over the messages as the server has them. Loaded when there is something.
 */

import { filesOf } from './file-words.js';
import { find, findAll, me, part } from './page.js';
import { sourceOf } from './text-element.js';
import { withVerb } from './verb.js';

export class PendingChanges {
  #verbs = new Map(); // seq, or clientId of a message without one → verbs, in the order in which they were done

  /** `messages`: row → the message as the server has it, of the rows that were made or changed here. */
  constructor(messages) {
    this.messages = messages;
  }

  /** Takes the changes of the outbox. Returns of which messages they are, or were: seqs, and clientIds of those without one. */
  take(entries) {
    const before = this.#verbs;
    this.#verbs = new Map();
    for (const { target, verb } of entries) {
      const name = target.seq ?? target.clientId;
      this.#verbs.set(name, [...(this.#verbs.get(name) ?? []), verb]);
    }
    return new Set([...before.keys(), ...this.#verbs.keys()]);
  }

  /** The message of a row as the server has it. A row that the server has rendered is read, before anything is changed in it. */
  messageOf(row) {
    if (!this.messages.has(row)) this.messages.set(row, read(row));
    return this.messages.get(row);
  }

  /** The message of a row as its reader sees it. */
  shown(row) {
    return this.applied(this.messageOf(row));
  }

  /** A message with what was done to it. */
  applied(message) {
    const verbs = this.#verbs.get(message.seq || message.clientId) ?? [];
    return verbs.reduce((shown, verb) => withVerb(shown, verb, me.id), message);
  }
}

function read(row) {
  const { seq, clientId, senderId, lastChange = 0, deleted, pinned } = row.dataset;
  const text = part(row, 'text');
  const edited = part(row, 'edited');
  const timestamp = part(row, 'time').dateTime;
  return {
    seq: Number(seq), clientId, senderId: Number(senderId), sender: part(row, 'sender')?.textContent ?? '', timestamp,
    kind: row.matches('.notice') ? 'notice' : 'text',
    message: deleted === undefined ? sourceOf(text) : '',
    mentionSpans: spansOf(text),
    editedAt: edited && !edited.hidden ? edited.dateTime || timestamp : null,
    replyTo: readQuote(part(row, 'quote')),
    files: filesOf(row),
    reactions: findAll('[data-part="reactions"] [data-emoji]', row).map(readChip),
    deleted: deleted !== undefined, pinned: pinned !== undefined, lastChange: Number(lastChange),
  };
}

const readChip = ({ dataset }) => ({ emoji: dataset.emoji, userIds: dataset.userIds.split(',').map(Number) });

function readQuote(quote) {
  if (!quote) return null;
  const { quotedSeq, senderId, deleted } = quote.dataset;
  const [sender, words] = ['quote-sender', 'quote-text'].map((name) => part(quote, name).textContent.trim());
  return { seq: Number(quotedSeq), sender, senderId: Number(senderId), words, deleted: deleted !== undefined, file: readThumbnail(quote) };
}

/** What a quote shows of a file: its small picture. Its words are read as they stand there. */
function readThumbnail(quote) {
  const [, id] = part(quote, 'quote-image')?.getAttribute('src').match(/^\/files\/(\d+)\//) ?? [];
  return id ? { id: Number(id), name: '', type: 'image/*', hasPreview: true } : null;
}

const toSpan = (words) => Object.fromEntries(words.split(':').map((number, index) => [['id', 'start', 'length'][index], Number(number)]));

/** The mentions in a text that is shown, as `mentionSpans` has them. Of others than the reader the id is not known. */
function spansOf(text) {
  if (text.dataset.mentions) return text.dataset.mentions.split(' ').map(toSpan);
  if (!find('.mention', text)) return [];
  const spans = [];
  let start = 0; // in code points
  for (const node of text.childNodes) {
    const { length } = [...node.textContent];
    if (node.className?.includes('mention')) spans.push({ id: node.matches('.mention-me') ? 0 : -1, start, length });
    start += length;
  }
  return spans;
}
