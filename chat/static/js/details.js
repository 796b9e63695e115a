/**
 * The details of a message: its steps from writing to reading, each with its time, as the server and this browser know them;
 * when and by whom it was edited or deleted, and who reacted; in a room also how far it has come with each member.
 */

import { plainWords, showWords } from './formatter.js';
import { request } from './http.js';
import { filesInWords, filesOf } from './file-words.js';
import { formatNumber, gettext, locale } from './i18n.js';
import { loadLaterStyles } from './later-styles.js';
import { stepsOf } from './message-steps.js';
import { find, fromTemplate, me, part, setText } from './page.js';
import { findRecord } from './send-log.js';
import { sourceOf } from './text-element.js';

const POLL_INTERVAL_MS = 5_000;

const exact = new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeStyle: 'medium' });

function fill(root, known) {
  for (const [name, step] of Object.entries(stepsOf(known))) fillStep(find(`[data-step="${name}"]`, root), step);
  fillChange(root, 'edited', gettext('Edited'), known.edited);
  fillChange(root, 'deleted', gettext('Deleted'), known.deleted, known.deletedBy);
  if (known.seq) setText(find('[data-step="stored"] dt', root), gettext('Saved (no. %(seq)s)', numbered(known)));
  part(root, 'clocks').hidden = !known.written;
}

function fillStep(step, { at, words = '', note, isReached, isUnknown = false }) {
  step.dataset.reached = isReached;
  step.hidden = isUnknown;
  const value = document.createElement('dd');
  value.append(at ? timeElement(new Date(at)) : words);
  if (note) value.append(Object.assign(document.createElement('small'), { textContent: note }));
  if (!find('dd', step).isEqualNode(value)) find('dd', step).replaceWith(value);
}

/** Shows what was done to a message later, after the steps of its way. */
function fillChange(root, name, label, at, person) {
  if (!at) return;
  const trail = find('.trail', root);
  const step = find(`[data-step="${name}"]`, trail) ?? trail.lastElementChild.cloneNode(true);
  step.dataset.step = name;
  setText(find('dt', step), label);
  fillStep(step, { at, note: person && gettext('by %(name)s', { name: person.username }), isReached: true });
  if (!step.isConnected) trail.append(step);
}

/** Shows the members of a room `[{username, delivered, read, isRead}]`; hides their list where there are none. */
function fillReaders(root, readers = []) {
  const place = part(root, 'readers');
  place.hidden = !readers.length;
  const list = find('ul', place);
  const fresh = list.cloneNode();
  fresh.append(...readers.map(makeReader));
  if (!list.isEqualNode(fresh)) list.replaceWith(fresh);
}

/** Shows who reacted with what `[{emoji, people}]`. */
function fillReactions(root, reactions = []) {
  const place = part(root, 'reacted');
  const people = reactions.flatMap(({ emoji, people: persons }) => persons.map(({ username }) => [username, emoji]));
  place.hidden = !people.length;
  const list = find('ul', place);
  const fresh = list.cloneNode();
  fresh.append(...people.map(([username, emoji]) => makeLine(username, emoji)));
  if (!list.isEqualNode(fresh)) list.replaceWith(fresh);
}

function makeReader({ username, delivered, read, isRead }) {
  return makeLine(username, read ? timeElement(new Date(read)) : isRead ? gettext('Read') : delivered ? gettext('Delivered') : gettext('Not yet'));
}

function makeLine(username, about) {
  const [row, name, words] = ['li', 'bdi', 'span'].map((tag) => document.createElement(tag));
  name.textContent = username;
  words.append(about);
  row.append(name, ' ', words);
  return row;
}

const numbered = ({ seq }) => ({ seq: formatNumber(seq) });

const timeElement = (date) => Object.assign(document.createElement('time'), {
  dateTime: date.toISOString(), textContent: exact.format(date),
});

/** Gives the page of a message, which the server rendered, the reader's clock and what this browser knows. */
export async function hydratePage(page) {
  const { message, readers, reactions, ...times } = JSON.parse(page.dataset.told);
  const isMine = message.senderId === me.id;
  adoptField(find('#edit', page), message.message);
  const record = isMine ? await findRecord(message.clientId) : null;
  const isRead = page.dataset.isRead === 'true';
  fill(page, { ...record, isMine, isRead, isAsked: true, seq: message.seq, stored: message.timestamp, ...times });
  fillReaders(page, readers);
  fillReactions(page, reactions);
}

/** On a page that came back after a conflict the field begins with what its writer typed: that is none of the message. */
function adoptField(field, text) {
  if (!field || 'adopted' in field.dataset) return;
  const { value } = field;
  field.dataset.adopted = '';
  field.defaultValue = text.replace(/\r\n?/g, '\n'); // as a field has it
  field.value = value;
}

/** The message of such a page is different now. What it was is no longer on the page, whatever the server answers. */
export function showChanged(page, message) {
  const told = JSON.parse(page.dataset.told);
  const { conversationId, seq, lastChange } = told.message;
  if (conversationId !== message.conversationId || seq !== message.seq || lastChange >= message.lastChange) return;
  page.dataset.told = JSON.stringify({ ...told, message });
  const text = find('.quote [data-part="text"]', page);
  if (message.deleted) setText(text, gettext('This message was deleted.'));
  else showWords(text, message.message, () => plainWords(message.message, message.message.length));
  if (message.deleted) removeContent(page);
  refresh(page);
}

/**
 * What can be done to a message that was deleted is gone. What its writer has typed meanwhile stays. Where the focus was in what is gone,
 * it goes to that text, or else to the heading.
 */
function removeContent(page) {
  const focused = document.activeElement;
  const hadFocus = page.contains(focused);
  const field = find('#edit', page);
  const isTyped = field && field.value !== field.defaultValue;
  if (isTyped) {
    Object.assign(field, { readOnly: true, ariaLabel: gettext('Your text') });
    field.defaultValue = field.value;
  }
  part(page, 'files')?.remove();
  find('.message-forms', page)?.replaceChildren(...(isTyped ? [field] : []));
  if (hadFocus && document.activeElement !== focused) (isTyped ? field : find('h1', page)).focus({ preventScroll: true });
}

/** Asks the server what such a page shows of its message. */
export async function refresh(page) {
  const { message } = JSON.parse(page.dataset.told);
  const url = `/conversations/${message.conversationId}/messages/${message.seq}`;
  const told = await request(url, 'application/json').then((answer) => answer.json()).catch(() => null);
  if (!told || !page.isConnected) return;
  if (told.message.lastChange > message.lastChange) return showChanged(page, told.message);
  page.dataset.told = JSON.stringify(told);
  hydratePage(page);
}

/** Opens the details of the message in a row of `messageList`. */
export async function openDetails(row, messageList) {
  await loadLaterStyles();
  if (!find('#details') && row.isConnected) new Details(row, messageList).open();
}

class Details {
  #answer = {}; // what the server has said, and isAsked
  #record;
  #timer;
  #closing = new AbortController();

  constructor(row, messageList) {
    Object.assign(this, { row, messageList });
    this.dialog = fromTemplate('details-template');
    this.observer = new MutationObserver(() => this.#ask()); // when it is acknowledged, read or changed
    setText(part(this.dialog, 'sender'), part(row, 'sender').textContent);
  }

  open() {
    const { dialog } = this;
    const { signal } = this.#closing;
    dialog.addEventListener('close', () => this.#closed());
    dialog.addEventListener('click', ({ target }) => target === dialog && dialog.close()); // a click beside it
    dialog.addEventListener('keydown', (event) => event.stopPropagation()); // the keys of the page (keyboard.js) do nothing meanwhile
    this.messageList.signal.addEventListener('abort', () => dialog.close(), { signal });
    this.observer.observe(this.row, { attributeFilter: ['data-state', 'data-seq', 'data-last-change'] });
    document.body.append(dialog);
    this.#show();
    dialog.showModal();
    this.#ask();
  }

  #closed() {
    this.#closing.abort();
    clearTimeout(this.#timer);
    this.observer.disconnect();
    this.dialog.remove();
    if (document.activeElement !== document.body) return; // the browser has given the focus back already
    const time = part(this.row, 'details');
    (time.isConnected ? time : this.messageList.list).focus({ preventScroll: true });
  }

  #show() {
    const { dataset } = this.row;
    const isMine = this.row.matches('.mine');
    const seq = Number(dataset.seq ?? 0);
    const entry = this.messageList.unsent().find(({ clientId }) => clientId === dataset.clientId);
    const isRead = this.#isRead(seq);
    const stored = part(this.row, 'time').dateTime;
    const waiting = { written: entry?.createdAt, reason: entry?.reason };
    const title = seq ? gettext('Message %(seq)s', numbered({ seq })) : gettext('Sending');
    setText(part(this.dialog, 'title'), title);
    const source = sourceOf(part(this.row, 'text'));
    const words = plainWords(source, source.length) || filesInWords(filesOf(this.row));
    setText(part(this.dialog, 'text'), 'deleted' in dataset ? gettext('This message was deleted.') : words);
    fill(this.dialog, { ...waiting, ...this.#record, ...this.#answer, isMine, isRead, seq, stored });
    fillReaders(this.dialog, this.#answer.readers);
    fillReactions(this.dialog, this.#answer.reactions);
  }

  /** Whether it has been read: in a room, by everybody but its sender. */
  #isRead(seq) {
    const { row, messageList } = this;
    if (row.dataset.state === 'read') return true;
    if (messageList.rows.isRoom) return Boolean(this.#answer.isRead);
    return !row.matches('.mine') && seq <= messageList.readSeq;
  }

  /** Asks this browser and the server, again and again until the message is read: that it was delivered is not pushed. */
  async #ask() {
    clearTimeout(this.#timer);
    const { seq, clientId } = this.row.dataset;
    const { signal } = this.#closing;
    if (this.row.matches('.mine')) this.#record = await findRecord(clientId);
    this.#show();
    if (seq) {
      const url = `${this.messageList.messagesUrl}/${seq}`;
      const answer = await request(url, 'application/json', signal).then((page) => page.json()).catch(() => null);
      const { delivered, read } = this.#answer; // a late answer must not take back what a newer one has said
      this.#answer = {
        ...this.#answer, ...answer, delivered: answer?.delivered ?? delivered, read: answer?.read ?? read, isAsked: Boolean(answer),
      };
    }
    if (signal.aborted) return;
    this.#show();
    clearTimeout(this.#timer);
    if (!this.#answer.read) this.#timer = setTimeout(() => this.#ask(), POLL_INTERVAL_MS);
  }
}
