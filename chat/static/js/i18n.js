/** The words of the page in the reader's language. The server puts their translations into `<body data-strings>`. */

const BADGE_LIMIT = 99;

export const language = document.documentElement.lang || 'en';
// The reader's own variant of the language: "en" alone would give a British reader American dates.
export const locale = navigator.languages?.find((tag) => tag.startsWith(language)) ?? language;
const strings = JSON.parse(document.body.dataset.strings || '{}');
const plural = new Intl.PluralRules(language);
const number = new Intl.NumberFormat(locale);

/** The text in the reader's language; `%(name)s` in it is replaced from `values`. */
export function gettext(msgid, values = {}) {
  return fill(strings[msgid] ?? msgid, values);
}

/** Like `gettext` for a count: the form that fits `num`, with `%(num)s` as `shown`. */
export function ngettext(one, many, num, shown = number.format(num), values = {}) {
  const forms = strings[one] ?? [one, many];
  return fill(forms[plural.select(num) === 'one' ? 0 : 1], { num: shown, ...values });
}

function fill(text, values) {
  return text.replace(/%\((\w+)\)s/g, (placeholder, name) => values[name] ?? placeholder);
}

export const formatNumber = (value) => number.format(value);

/** A count as a badge shows it. The server counts no further either. */
export const badge = (count) => (count > BADGE_LIMIT ? `${BADGE_LIMIT}+` : String(count));

export const unreadWords = (count) => ngettext('%(num)s unread', '%(num)s unread', count, badge(count));
