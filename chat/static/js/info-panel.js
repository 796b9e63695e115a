/** The panel beside a conversation: puts it in place, and takes it away. The conversation stays as it is. */

import { showAge } from './dates.js';
import { find, findAll, part, pathOf } from './page.js';

const PANEL_QUERY = ['info', 'after']; // the parameters of an address that only the panel depends on

/** What the server has opened in a new panel: a field with an error, or a form that the address asks for. */
const WANTED_FIELD = '[aria-invalid], .add-member[open] input:not([type="hidden"]), .room-settings[open] [name="topic"]';

/** The fields of the panel that a link may ask for: `?info=people` and `?info=topic`. */
const FIELDS = { people: '.add-member [name="username"]', topic: '.room-settings [name="topic"]' };

const openLink = () => find('#info-link, [data-action="open-info"]');
const hasInfo = (url) => url.searchParams.has('info');

let opener = null; // the link that opened the panel: it gets the focus when the panel is closed

/** Whether only the panel differs between the page at `shownPath` and that at `url`: it opens, closes, or shows other members. */
export function isPanelOnly(url, shownPath) {
  const shown = new URL(shownPath, location);
  const isPanels = [...url.searchParams.keys()].every((name) => PANEL_QUERY.includes(name));
  return url.pathname === shown.pathname && isPanels && (hasInfo(url) || hasInfo(shown));
}

/** Whether `url` is that of the open panel, perhaps with another of its fields: then nothing has to be fetched. */
export function isInOpenPanel(url, shownPath) {
  const shown = new URL(shownPath, location);
  return Boolean(find('#info-panel')) && hasInfo(url) && hasInfo(shown) && withoutInfo(url) === withoutInfo(shown);
}

function withoutInfo(url) {
  const rest = new URL(url);
  rest.searchParams.delete('info');
  return pathOf(rest);
}

/** Whether somebody has changed a field since it came. */
export const isChanged = ({ value, defaultValue, checked, defaultChecked }) => value !== defaultValue || checked !== defaultChecked;

/** Names a form by its address and its fields. Several forms have one address, and a new panel has another element for each. */
export const identityOf = (form) => [form.getAttribute('action'), ...new Set([...form.elements].map(({ name }) => name))].join(' ');

/** The element that `root` has for the same form. */
function sameForm(form, root) {
  const identity = identityOf(form);
  return findAll('form', root).find((other) => identityOf(other) === identity);
}

/** Takes over what is written in the forms of the old panel, except in the one that was `answered`. */
function keepWritten(known, fresh, answered) {
  const answeredIdentity = answered && identityOf(answered);
  const isKept = (field) => isChanged(field) && identityOf(field.form) !== answeredIdentity;
  const fields = findAll('input:not([type="hidden"])', known).filter(isKept);
  for (const { form, name, type, value, checked } of fields) {
    const choice = type === 'radio' ? `[value="${CSS.escape(value)}"]` : '';
    const counterpart = sameForm(form, fresh);
    const field = counterpart && find(`[name="${name}"]${choice}`, counterpart);
    if (!field) continue; // its person may not do this any more
    if (choice) field.checked = checked;
    else field.value = value;
    field.closest('details').open = true;
  }
}

/**
 * Shows the panel of a fetched page in place of the one that is open; `answered` is the form whose answer the page is. If `page` is null or has no
 * panel, the open one is closed. The new panel is scrolled as the old one was, unless it lists other members.
 */
export function putPanel(page, answered) {
  const fresh = page && find('#info-panel', page);
  const known = find('#info-panel');
  const position = known?.dataset.after === fresh?.dataset.after && known && find('.info-scroll', known).scrollTop;
  if (fresh && !known && document.activeElement !== document.body) opener = document.activeElement;
  if (known && fresh) keepWritten(known, fresh, answered);
  if (known && fresh) known.replaceWith(fresh);
  else if (fresh) find('#main').append(fresh);
  else known?.remove();
  if (!fresh) return openLink()?.removeAttribute('aria-current');
  openLink()?.setAttribute('aria-current', 'true');
  findAll('.pin [data-part="time"]', fresh).forEach(showAge);
  if (position) find('.info-scroll', fresh).scrollTop = position;
}

/**
 * Moves the focus after the panel was opened or closed. In an open panel it goes to the wanted field, else to the heading. After closing it
 * goes back to the link that had opened the panel.
 */
export function focusPanel() {
  const panel = find('#info-panel');
  if (panel) return (find(WANTED_FIELD, panel) ?? find('#info-title', panel)).focus();
  (opener?.checkVisibility() ? opener : openLink())?.focus({ preventScroll: true });
  opener = null;
}

/** Moves the focus to the field that a link asks for by `name`, in a panel that is open already. */
export function focusWanted(name) {
  const field = Object.hasOwn(FIELDS, name) && find(`#info-panel ${FIELDS[name]}`);
  if (!field) return focusPanel();
  field.closest('details').open = true;
  field.focus();
}

/** After a form was answered with a new panel: moves the focus to the same button in it, where it still has one. */
export function focusPressed(form, submitter) {
  const named = submitter?.name ? `[name="${submitter.name}"][value="${CSS.escape(submitter.value)}"]` : 'button';
  const fresh = sameForm(form, find('#info-panel'));
  const pressed = fresh && find(named, fresh);
  if (find('#info-panel [aria-invalid]') || !pressed?.checkVisibility()) focusPanel();
  else pressed.focus({ preventScroll: true });
}

/** Shows why a form was refused, above it, or in the panel that has come in place of the one with the form. */
export function showRefusal(form, words) {
  const shown = form.isConnected ? form : (find('#info-title') ?? find('#main'));
  const place = shown.closest('.info-scroll, .page-scroll, .welcome-pane') ?? shown;
  part(place, 'refusal')?.remove();
  const refusal = Object.assign(document.createElement('p'), { className: 'alert', role: 'alert', textContent: words });
  refusal.dataset.part = 'refusal';
  place.prepend(refusal);
  refusal.scrollIntoView({ block: 'nearest' });
}
