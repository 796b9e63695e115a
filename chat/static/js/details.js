/** The details of a message: the steps of its way, each with its time, as the server and this browser know them. */

import { messageUrl, request } from './http.js';
import { formatNumber, gettext, locale, ngettext } from './i18n.js';
import { find, fromTemplate, me, part, setText } from './page.js';
import { findRecord } from './send-log.js';

const ASK_AGAIN_MS = 5_000;
const UNITS = [['second', 1_000], ['minute', 60_000], ['hour', 60 * 60_000], ['day', 24 * 60 * 60_000]]; // each in ms

const exact = new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeStyle: 'medium' });
const clock = new Intl.DateTimeFormat(locale, { timeStyle: 'medium' });

/**
 * The five steps as `{at, words, note, isReached, isUnknown}`; `words` are for a step without a time, and what is
 * unknown has neither and is left out. A note says how long the step took, by one and the same clock.
 *
 * Of the way are known: isMine, seq, its own browser's written, sent, tries and acknowledged, the server's stored,
 * delivered and read (times in ms or as text), isRead, isAsked (whether the server has answered; undefined while it
 * is being asked) and the reason of a refusal.
 */
export function stepsOf(way) {
  const isStored = Boolean(way.seq);
  const arrival = arrivalWords(way);
  const isArrivalUnknown = !arrival && !way.isRead;
  const confirmed = isStored && way.acknowledged && clock.format(way.acknowledged);
  return {
    written: {
      at: way.written,
      words: way.isMine ? gettext('Written on another device') : '',
      isReached: true,
      isUnknown: !way.written && !way.isMine,
    },
    sent: {
      at: way.sent,
      words: isStored ? '' : gettext('Not yet'),
      note: notes(after(way.written, way.sent), way.tries > 1 && ngettext('%(num)s attempt', '%(num)s attempts', way.tries)),
      isReached: isStored || Boolean(way.sent),
      isUnknown: isStored && !way.sent,
    },
    stored: {
      at: isStored && way.stored,
      words: way.reason ? gettext('Not sent: %(reason)s', { reason: way.reason }) : gettext('Not yet'),
      note: notes(confirmed && gettext('confirmation received at %(time)s', { time: confirmed }), after(way.sent, way.acknowledged)),
      isReached: isStored,
    },
    delivered: {
      at: way.delivered,
      words: arrival,
      note: after(way.stored, way.delivered),
      isReached: Boolean(way.delivered || way.isRead),
      isUnknown: isArrivalUnknown && !way.delivered,
    },
    read: {
      at: way.read,
      words: arrival,
      note: after(way.delivered ?? way.stored, way.read),
      isReached: Boolean(way.read || way.isRead),
      isUnknown: isArrivalUnknown && !way.read,
    },
  };
}

function arrivalWords({ seq, isRead, isAsked }) {
  if (!seq) return gettext('Not yet');
  if (isAsked === undefined) return '…';
  return isAsked && !isRead ? gettext('Not yet') : '';
}

const notes = (...all) => all.filter(Boolean).join(' · ');

/** How long after `from` something was, in words; nothing where one of the times is missing. */
function after(from, at) {
  const took = from && at ? new Date(at) - new Date(from) : NaN;
  return took >= 0 ? gettext('after %(duration)s', { duration: durationWords(took) }) : '';
}

/** A duration in ms, in the unit that suits it. */
export function durationWords(ms) {
  const [unit, length] = UNITS.findLast(([, shortest]) => ms >= shortest) ?? UNITS[0];
  const maximumFractionDigits = ms < 10_000 ? 2 : 0;
  const value = maximumFractionDigits ? ms / length : Math.floor(ms / length);
  return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long', maximumFractionDigits }).format(value);
}

function fill(root, way) {
  for (const [name, { at, words, note, isReached, isUnknown = false }] of Object.entries(stepsOf(way))) {
    const step = find(`[data-step="${name}"]`, root);
    step.dataset.reached = isReached;
    step.hidden = isUnknown;
    const value = document.createElement('dd');
    value.append(at ? timeElement(new Date(at)) : words);
    if (note) value.append(Object.assign(document.createElement('small'), { textContent: note }));
    if (!find('dd', step).isEqualNode(value)) find('dd', step).replaceWith(value);
  }
  if (way.seq) setText(find('[data-step="stored"] dt', root), gettext('Saved (no. %(seq)s)', numbered(way)));
  part(root, 'clocks').hidden = !way.written;
}

const numbered = ({ seq }) => ({ seq: formatNumber(seq) });

const timeElement = (date) => Object.assign(document.createElement('time'), {
  dateTime: date.toISOString(), textContent: exact.format(date),
});

/** Gives the page of a message the reader's clock, and what this browser knows. */
export async function hydratePage(page) {
  const { message, delivered, read } = JSON.parse(page.dataset.told);
  const isMine = message.senderId === me.id;
  const record = isMine ? await findRecord(message.clientId) : null;
  const isRead = page.dataset.isRead === 'true';
  fill(page, { ...record, isMine, isRead, isAsked: true, seq: message.seq, stored: message.timestamp, delivered, read });
}

/** Opens the details of the message in a row of `messageList`. */
export function openDetails(row, messageList) {
  if (!find('#details')) new Details(row, messageList).open();
}

class Details {
  #answer = {}; // {delivered, read, isAsked}
  #record;
  #timer;
  #closing = new AbortController();

  constructor(row, messageList) {
    Object.assign(this, { row, messageList });
    this.dialog = fromTemplate('details-template');
    this.observer = new MutationObserver(() => this.#ask()); // it is acknowledged, or read
    setText(part(this.dialog, 'sender'), part(row, 'sender').textContent);
    setText(part(this.dialog, 'text'), part(row, 'text').textContent);
  }

  open() {
    const { dialog } = this;
    const { signal } = this.#closing;
    dialog.addEventListener('close', () => this.#closed());
    dialog.addEventListener('click', ({ target }) => target === dialog && dialog.close()); // beside it
    dialog.addEventListener('keydown', (event) => event.stopPropagation()); // the page's own keys rest
    this.messageList.signal.addEventListener('abort', () => dialog.close(), { signal });
    this.observer.observe(this.row, { attributeFilter: ['data-state', 'data-seq'] });
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
    if (document.activeElement !== document.body) return; // the browser has given the focus back, and it may have gone on since
    const time = part(this.row, 'details');
    (time.isConnected ? time : this.messageList.list).focus({ preventScroll: true });
  }

  #show() {
    const { dataset } = this.row;
    const isMine = this.row.matches('.mine');
    const seq = Number(dataset.seq ?? 0);
    const entry = this.messageList.unsent().find(({ clientId }) => clientId === dataset.clientId);
    const isRead = isMine ? dataset.state === 'read' : seq <= this.messageList.readSeq;
    const stored = part(this.row, 'time').dateTime;
    const waiting = { written: entry?.createdAt, reason: entry?.reason };
    const title = seq ? gettext('Message %(seq)s', numbered({ seq })) : gettext('Sending');
    setText(part(this.dialog, 'title'), title);
    fill(this.dialog, { ...waiting, ...this.#record, ...this.#answer, isMine, isRead, seq, stored });
  }

  /** Asks this browser and the server, and again until the message is read: only the reading is pushed. */
  async #ask() {
    clearTimeout(this.#timer);
    const { seq, clientId } = this.row.dataset;
    const { signal } = this.#closing;
    if (this.row.matches('.mine')) this.#record = await findRecord(clientId);
    this.#show();
    if (seq) {
      const url = messageUrl(this.messageList.peerName, seq);
      const answer = await request(url, 'application/json', signal).then((page) => page.json()).catch(() => null);
      const { delivered, read } = this.#answer; // an answer that was overtaken takes nothing back
      this.#answer = { delivered: answer?.delivered ?? delivered, read: answer?.read ?? read, isAsked: Boolean(answer) };
    }
    if (signal.aborted) return;
    this.#show();
    clearTimeout(this.#timer);
    if (!this.#answer.read) this.#timer = setTimeout(() => this.#ask(), ASK_AGAIN_MS);
  }
}
