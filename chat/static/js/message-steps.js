/** The steps of a message from writing to reading, in words: what is known of each, and how long it took. */

import { gettext, locale, ngettext } from './i18n.js';

const UNITS = [['second', 1_000], ['minute', 60_000], ['hour', 60 * 60_000], ['day', 24 * 60 * 60_000]]; // each in ms

const clock = new Intl.DateTimeFormat(locale, { timeStyle: 'medium' });

/**
 * Returns the five steps of its way, each as `{at, words, note, isReached, isUnknown}`. `words` stand for a time that is missing; a
 * step that is unknown is not shown. A note says how long the step took, if both its times are of one clock.
 *
 * `known` holds what is known of the message: isMine, seq; written, sent, tries and acknowledged by the browser it was
 * written in; stored, delivered and read by the server; isRead; the reason of a refusal; and isAsked, whether the
 * server has answered, which is undefined while it is being asked. Times are in ms or ISO 8601.
 */
export function stepsOf(known) {
  const isStored = Boolean(known.seq);
  const arrival = arrivalWords(known);
  const isArrivalUnknown = !arrival && !known.isRead;
  const confirmed = isStored && known.acknowledged && clock.format(known.acknowledged);
  return {
    written: {
      at: known.written,
      words: known.isMine ? gettext('Written on another device') : '',
      isReached: true,
      isUnknown: !known.written && !known.isMine,
    },
    sent: {
      at: known.sent,
      words: isStored ? '' : gettext('Not yet'),
      note: notes(after(known.written, known.sent), known.tries > 1 && ngettext('%(num)s attempt', '%(num)s attempts', known.tries)),
      isReached: isStored || Boolean(known.sent),
      isUnknown: isStored && !known.sent,
    },
    stored: {
      at: isStored && known.stored,
      words: known.reason ? gettext('Not sent: %(reason)s', { reason: known.reason }) : gettext('Not yet'),
      note: notes(confirmed && gettext('confirmation received at %(time)s', { time: confirmed }), after(known.sent, known.acknowledged)),
      isReached: isStored,
    },
    delivered: {
      at: known.delivered,
      words: arrival,
      note: after(known.stored, known.delivered),
      isReached: Boolean(known.delivered || known.isRead),
      isUnknown: isArrivalUnknown && !known.delivered,
    },
    read: {
      at: known.read,
      words: arrival,
      note: after(known.delivered ?? known.stored, known.read),
      isReached: Boolean(known.read || known.isRead),
      isUnknown: isArrivalUnknown && !known.read,
    },
  };
}

function arrivalWords({ seq, isRead, isAsked }) {
  if (!seq) return gettext('Not yet');
  if (isAsked === undefined) return '…';
  return isAsked && !isRead ? gettext('Not yet') : '';
}

const notes = (...all) => all.filter(Boolean).join(' · ');

/** How long after `from` a step was, in words; an empty text if one of the times is missing. */
function after(from, at) {
  const durationMs = from && at ? new Date(at) - new Date(from) : NaN;
  return durationMs >= 0 ? gettext('after %(duration)s', { duration: durationWords(durationMs) }) : '';
}

/** A duration in words, in the largest unit of which it has at least one. */
export function durationWords(ms) {
  const [unit, length] = UNITS.findLast(([, shortest]) => ms >= shortest) ?? UNITS[0];
  const maximumFractionDigits = ms < 10_000 ? 2 : 0;
  const value = maximumFractionDigits ? ms / length : Math.floor(ms / length);
  return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long', maximumFractionDigits }).format(value);
}
