/** What every module needs of the page: who reads it, its words, its templates, its clock, its requests. */

const REQUEST_TIMEOUT_MS = 10_000;
const BADGE_LIMIT = 99;
const MAX_PREVIEW_LENGTH = 120;
const DAY_MS = 24 * 60 * 60_000;

export const me = { id: Number(document.body.dataset.userId) };

const language = document.documentElement.lang || 'en';
// "en" alone would give an English reader American hours.
export const locale = navigator.languages?.find((tag) => tag.startsWith(language)) ?? language;
const strings = JSON.parse(document.body.dataset.strings || '{}');
const plural = new Intl.PluralRules(language);
const number = new Intl.NumberFormat(locale);

export const find = (selector, root = document) => root.querySelector(selector);
export const findAll = (selector, root = document) => [...root.querySelectorAll(selector)];
export const part = (root, name) => root.querySelector(`[data-part="${name}"]`);
export const onTouch = () => matchMedia('(pointer: coarse)').matches;

const IME_KEY_CODE = 229; // of a key that ends a composition: some browsers say that it is over by then

/** Whether a key belongs to the input method, which composes a character with it. */
export const isComposing = (event) => event.isComposing || event.keyCode === IME_KEY_CODE;

/** Whether somebody looks at this window now. */
export const isWatched = () => document.visibilityState === 'visible' && document.hasFocus();

/** The text in the reader's language; `%(name)s` in it is replaced from `values`. */
export function gettext(msgid, values = {}) {
  return fill(strings[msgid] ?? msgid, values);
}

/** Like `gettext` for a count: the form that fits `num`, with `%(num)s` as `shown`. */
export function ngettext(one, many, num, shown = number.format(num), values = {}) {
  const forms = strings[one] ?? [one, many];
  return fill(forms[plural.select(num) === 'one' ? 0 : 1], { num: shown, ...values });
}

export const formatNumber = (value) => number.format(value);

/** A count as a badge shows it; the server counts no further either. */
export const badge = (count) => (count > BADGE_LIMIT ? `${BADGE_LIMIT}+` : String(count));

export const unreadWords = (count) => ngettext('%(num)s unread', '%(num)s unread', count, badge(count));

/** What `completeness` has found, in words. */
export function completenessWords({ state, first, last, head, missing }) {
  const ends = { first: number.format(first), last: number.format(last) };
  const range = first === last ? ends.last : gettext('%(first)s – %(last)s', ends);
  const words = {
    complete: () => gettext('Messages shown: %(range)s. Up to date.', { range }),
    part: () => gettext('Messages shown: %(range)s of %(head)s.', { range, head: number.format(head) }),
    unchecked: () => gettext('Messages shown: %(range)s. Offline.', { range }),
    fetching: () => ngettext('Messages shown: %(range)s. Fetching %(num)s message…',
      'Messages shown: %(range)s. Fetching %(num)s messages…', missing, number.format(missing), { range }),
    broken: () => ngettext('Messages shown: %(range)s. %(num)s message missing.',
      'Messages shown: %(range)s. %(num)s messages missing.', missing, number.format(missing), { range }),
  };
  return words[state]();
}

/** The same for a glance: how the conversation stands, without its numbers. */
export function completenessSummary({ state, missing }) {
  const words = {
    complete: () => gettext('Up to date'),
    part: () => gettext('Older messages'),
    unchecked: () => gettext('Offline'),
    unsent: () => ngettext('%(num)s not sent', '%(num)s not sent', missing),
    fetching: () => ngettext('Fetching %(num)s message…', 'Fetching %(num)s messages…', missing),
    broken: () => ngettext('%(num)s message missing', '%(num)s messages missing', missing),
  };
  return words[state]();
}

function fill(text, values) {
  return text.replace(/%\((\w+)\)s/g, (placeholder, name) => values[name] ?? placeholder);
}

/** A fresh copy of the first element in `<template id>`. */
export function fromTemplate(id) {
  return document.getElementById(id).content.firstElementChild.cloneNode(true);
}

/** Sets a text only where it differs: nothing is laid out or read aloud for nothing. */
export function setText(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

/** A text without the blank lines before it and what is blank after it: the server's rule. An indent is part of a text. */
export function trimmed(text) {
  const kept = text.trimEnd();
  const indented = kept.length - kept.trimStart().length;
  return kept.slice(kept.slice(0, indented).lastIndexOf('\n') + 1);
}

/** The beginning of a text, in characters as a reader sees them: no emoji is cut in the middle. */
export function shortened(text) {
  if (text.length <= MAX_PREVIEW_LENGTH) return text;
  const start = text.slice(0, 2 * MAX_PREVIEW_LENGTH);
  let end = 0;
  for (const { index, segment } of new Intl.Segmenter(language).segment(start)) {
    if (index + segment.length > MAX_PREVIEW_LENGTH) break;
    end = index + segment.length;
  }
  return text.slice(0, end || MAX_PREVIEW_LENGTH).replace(/\p{Cs}$/u, ''); // one that is longer still is cut
}

export function debounce(delayMs, action) {
  let timer;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(action, delayMs, ...args);
  };
}

const hours = new Intl.DateTimeFormat(locale, { timeStyle: 'short' });
const exact = new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeStyle: 'short' });
const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });

/** A date in words, with its year unless that is the present one. */
function dateWords(date, options) {
  const isThisYear = date.getFullYear() === new Date().getFullYear();
  return capitalized(date.toLocaleDateString(locale, isThisYear ? options : { ...options, year: 'numeric' }));
}

const capitalized = (text) => text.charAt(0).toLocaleUpperCase(locale) + text.slice(1);

/** How many midnights ago a moment was. */
const daysAgo = (date) => Math.round((new Date().setHours(0, 0, 0, 0) - new Date(date).setHours(0, 0, 0, 0)) / DAY_MS);

/** Today or yesterday in a word; null for any other day. */
const nearDay = (days) => (days === 0 || days === 1 ? capitalized(relative.format(-days, 'day')) : null);

/** Names the day of `{day, date}` in a `<time>`; on paper the whole date is read, with its year. */
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

/** Rewrites a `<time datetime>` for a list: the hour, "Yesterday", the weekday or the date. */
export function showAge(element) {
  const date = new Date(element.dateTime);
  if (isNaN(date)) return;
  const age = daysAgo(date);
  if (age <= 0) setText(element, hours.format(date));
  else if (age === 1) setText(element, nearDay(age));
  else if (age < 7) setText(element, capitalized(date.toLocaleDateString(locale, { weekday: 'short' })));
  else setText(element, dateWords(date, { month: 'short', day: 'numeric' }));
}

let isLoggingOut = false;

/** Logging out leads to the login page itself: the end of the session is no surprise. */
export function expectLogout(isExpected = true) {
  isLoggingOut = isExpected;
}

/** Leaves for the login page, which leads back here; drafts and unsent messages stay in this browser. */
export function goToLogin() {
  if (!isLoggingOut) location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
}

/**
 * Fetches `url` from this site as `accept`. A session that has ended leads to the login page.
 * Throws on a network failure, after 10 s, and on any answer but a success.
 */
export async function request(url, accept, signal) {
  const timeout = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
  const response = await fetch(url, {
    headers: { Accept: accept, 'X-User-Id': me.id },
    signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
  });
  if (response.status === 401 || (response.redirected && new URL(response.url).pathname === '/login')) {
    goToLogin();
    throw new Error('logged out');
  }
  if (!response.ok) throw Object.assign(new Error(response.statusText), { status: response.status });
  return response;
}

/** Where the details of a message are. */
export const messageUrl = (peerName, seq) => `/messages/${encodeURIComponent(peerName)}/${seq}`;

/** A page of a conversation: `{messages, lastSeq, readSeq}`; `range` holds before, after, limit. */
export async function fetchMessages(peerName, range, signal) {
  const query = new URLSearchParams(range);
  const response = await request(`/messages/${encodeURIComponent(peerName)}?${query}`, 'application/json', signal);
  return response.json();
}

export const parseHtml = (text) => new DOMParser().parseFromString(text, 'text/html');

/** A row of the history for a message, or for an entry of the outbox, which has no `seq` yet. */
export function makeBubble(message) {
  const row = fromTemplate('bubble-template');
  const isMine = message.senderId === me.id;
  row.classList.toggle('mine', isMine);
  row.classList.toggle('theirs', !isMine);
  if (message.seq) part(row, 'failed')?.remove();
  if (!isMine) part(row, 'state').remove();
  Object.assign(row.dataset, { senderId: message.senderId, clientId: message.clientId });
  setText(part(row, 'sender'), isMine ? gettext('You') : message.sender);
  showText(part(row, 'text'), message.message);
  updateBubble(row, message);
  return row;
}

/** What the acknowledgement changes of a row: its place in the log, its hour, its state. */
export function updateBubble(row, { seq, timestamp }) {
  if (seq) row.dataset.seq = seq;
  else delete row.dataset.seq;
  part(row, 'time').dateTime = timestamp;
  showHour(part(row, 'time'));
  setBubbleState(row, seq ? 'sent' : 'pending');
}

/** `state` is pending, sent, read or failed. */
export function setBubbleState(row, state) {
  const words = { pending: gettext('Sending'), sent: gettext('Sent'), read: gettext('Read'), failed: gettext('Not sent') };
  const icon = part(row, 'state')?.firstElementChild;
  if (row.dataset.state !== state) icon?.replaceWith(fromTemplate(`${state}-icon-template`));
  row.dataset.state = state;
  setText(part(row, 'state-word'), words[state]);
}

// The addresses in a text. Each character is looked at a fixed number of times, whatever the text holds.

const START = /\bhttps?:\/\//gi;
const MAX_HOST_LENGTH = 255; // characters of what stands before the path: no name of a host is longer

// What no address has in it: blanks, controls (those that turn the direction of a text among them), quotation marks, and
// the punctuation of scripts that put no blank after it. What words are written with is none: "Bose–Einstein", "ル・ダ".
const OUTSIDE = String.raw`\s<>"\x60\p{Cc}\p{Cs}[\p{Cf}--\p{Join_Control}][\p{P}--[\p{ASCII}\p{Pd}\p{ID_Continue}・･]]`;
const MARK = new RegExp(String.raw`[\(\)\[\]\{\}${OUTSIDE}]`, 'gv');
const CLOSING = { '(': ')', '[': ']', '{': '}' };
const TRAILING = /[.,;:!?'*[\p{P}--\p{ASCII}]]/v; // the end of the sentence around an address

/** Shows a text as text, with its addresses as links. No direction of the text around them reaches into them. */
export function showText(element, text) {
  element.replaceChildren(...splitLinks(text).map(({ text: words, href }) => {
    if (!href) return words;
    const link = { href, textContent: words, target: '_blank', rel: 'noopener noreferrer', dir: 'ltr' };
    return Object.assign(document.createElement('a'), link);
  }));
}

/** Cuts a text into `[{text, href?}]`; only http and https addresses get an href. */
export function splitLinks(text) {
  const parts = [];
  let end = 0;
  for (const address of addressesIn(text)) {
    if (address.start > end) parts.push({ text: text.slice(end, address.start) });
    parts.push({ text: address.href, href: address.href });
    end = address.start + address.href.length;
  }
  if (end < text.length) parts.push({ text: text.slice(end) });
  return parts;
}

function* addressesIn(text) {
  const start = new RegExp(START);
  if (!start.test(text)) return;
  const ends = endsIn(text);
  let next = 0; // of the ends, the first one that may be in the way
  start.lastIndex = 0;
  for (let found = start.exec(text); found; found = start.exec(text)) {
    while (next < ends.length && ends[next].at < start.lastIndex) next += 1;
    while (next < ends.length && ends[next].from > found.index) next += 1;
    const href = withoutPunctuation(text.slice(found.index, ends[next]?.at));
    start.lastIndex = Math.max(start.lastIndex, found.index + href.length);
    if (isAddress(href)) yield { start: found.index, href };
  }
}

/**
 * Where an address may end, as `[{at, from}]`, ascending: one that begins at `from` or later ends at `at`.
 * A bracket ends it unless its partner is part of the address too: "(see https://example.org/a_(b))" keeps `a_(b)`.
 */
function endsIn(text) {
  const ends = [];
  let open = []; // brackets without a partner yet
  for (const { 0: mark, index } of text.matchAll(MARK)) {
    const end = { at: index, from: 0, mark };
    ends.push(end);
    if (mark in CLOSING) open.push(end);
    else if (mark === CLOSING[open.at(-1)?.mark]) {
      const opening = open.pop();
      end.from = opening.at + 1;
      opening.from = Infinity;
    } else open = [];
  }
  return ends;
}

function withoutPunctuation(address) {
  let end = address.length;
  while (TRAILING.test(address[end - 1])) end -= 1;
  return address.slice(0, end);
}

/** A browser's parser may take long over a long name of a host: it does not come to that. */
function isAddress(text) {
  const [host] = text.slice(text.indexOf('//') + 2).split(/[/?#\\]/, 1);
  return host.length <= MAX_HOST_LENGTH && URL.canParse(text);
}
