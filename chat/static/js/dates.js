/** Dates and times in the reader's words and zone. The server writes UTC into `<time datetime>`. */

import { locale } from './i18n.js';
import { setText } from './page.js';

const DAY_MS = 24 * 60 * 60_000;

const hours = new Intl.DateTimeFormat(locale, { timeStyle: 'short' });
const exact = new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeStyle: 'short' });
const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });

/** A date in words, with the year unless it is this one. */
function dateWords(date, options) {
  const isThisYear = date.getFullYear() === new Date().getFullYear();
  return capitalized(date.toLocaleDateString(locale, isThisYear ? options : { ...options, year: 'numeric' }));
}

const capitalized = (text) => text.charAt(0).toLocaleUpperCase(locale) + text.slice(1);

/** How many midnights there were since `date`. */
const daysAgo = (date) => Math.round((new Date().setHours(0, 0, 0, 0) - new Date(date).setHours(0, 0, 0, 0)) / DAY_MS);

/** "Today" or "Yesterday"; null for any other day. */
const nearDay = (days) => (days === 0 || days === 1 ? capitalized(relative.format(-days, 'day')) : null);

/** Names a day, `{day: 'YYYY-MM-DD', date}`, in a `<time>`. Printed it is the whole date, with its year. */
export function showDay(element, { day, date }) {
  element.dateTime = day;
  element.dataset.whole = capitalized(date.toLocaleDateString(locale, { dateStyle: 'full' }));
  const name = nearDay(daysAgo(date)) ?? dateWords(date, { weekday: 'long', month: 'long', day: 'numeric' });
  setText(element, name);
  element.title = element.dataset.whole;
}

/** Rewrites a `<time datetime>` as the hour in the reader's zone. */
export function showHour(element) {
  const date = new Date(element.dateTime);
  setText(element, hours.format(date));
  element.title = exact.format(date);
}

/** Rewrites a `<time datetime>` as short as its age allows: the hour, "Yesterday", the weekday or the date. */
export function showAge(element) {
  const date = new Date(element.dateTime);
  if (isNaN(date)) return;
  const age = daysAgo(date);
  if (age <= 0) setText(element, hours.format(date));
  else if (age === 1) setText(element, nearDay(age));
  else if (age < 7) setText(element, capitalized(date.toLocaleDateString(locale, { weekday: 'short' })));
  else setText(element, dateWords(date, { month: 'short', day: 'numeric' }));
}
