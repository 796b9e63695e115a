/** The panel beside a conversation is put in place and taken away without touching the conversation. */

import { showAge } from './dates.js';
import { find, findAll, part, pathOf } from './page.js';

const PANEL_QUERY = ['info', 'after']; // names in an address that are about the panel alone

const WANTED_FIELD = '[aria-invalid], .add-member[open] input:not([type="hidden"]), .room-settings[open] [name="topic"]';

/** What the links to the panel ask for, by the value of `info`. */
const FIELDS = { people: '.add-member [name="username"]', topic: '.room-settings [name="topic"]' };

const openLink = () => find('#info-link, [data-action="open-info"]');
const hasInfo = (url) => url.searchParams.has('info');

let opener = null; // the link by which the panel was opened: it gets the focus back

/** Whether an address differs from the one that is shown, a path, in the panel alone. */
export function isPanelOnly(url, shownPath) {
  const shown = new URL(shownPath, location);
  const isPanels = [...url.searchParams.keys()].every((name) => PANEL_QUERY.includes(name));
  return url.pathname === shown.pathname && isPanels && (hasInfo(url) || hasInfo(shown));
}

/** Whether an address asks the panel that is open for another of its fields, and for nothing that would have to be fetched. */
export function isInOpenPanel(url, shownPath) {
  const shown = new URL(shownPath, location);
  return Boolean(find('#info-panel')) && hasInfo(url) && hasInfo(shown) && withoutInfo(url) === withoutInfo(shown);
}

function withoutInfo(url) {
  const rest = new URL(url);
  rest.searchParams.delete('info');
  return pathOf(rest);
}

/**
 * Puts the panel of a fetched page in place of the one that is there; without one there is none any more. Its reader stays where they were in it,
 * unless it shows other members.
 */
export function putPanel(page) {
  const fresh = page && find('#info-panel', page);
  const known = find('#info-panel');
  const position = known?.dataset.after === fresh?.dataset.after && known && find('.info-scroll', known).scrollTop;
  if (fresh && !known && document.activeElement !== document.body) opener = document.activeElement;
  if (known && fresh) known.replaceWith(fresh);
  else if (fresh) find('#main').append(fresh);
  else known?.remove();
  if (!fresh) return openLink()?.removeAttribute('aria-current');
  openLink()?.setAttribute('aria-current', 'true');
  findAll('.pin [data-part="time"]', fresh).forEach(showAge);
  if (position) find('.info-scroll', fresh).scrollTop = position;
}

/** The focus goes to what the panel was opened for, else to its heading; from a panel that was closed, to the link that had opened it. */
export function focusPanel() {
  const panel = find('#info-panel');
  if (panel) return (find(WANTED_FIELD, panel) ?? find('#info-title', panel)).focus();
  (opener?.checkVisibility() ? opener : openLink())?.focus({ preventScroll: true });
  opener = null;
}

/** The same for a panel that is there already: `name` is what a link asks it for. */
export function focusWanted(name) {
  const field = Object.hasOwn(FIELDS, name) && find(`#info-panel ${FIELDS[name]}`);
  if (!field) return focusPanel();
  field.closest('details').open = true;
  field.focus();
}

/** The focus goes to the button of the new panel that was pressed in the one before, where there is one. */
export function focusPressed(form, submitter) {
  const named = submitter?.name ? `[name="${submitter.name}"][value="${CSS.escape(submitter.value)}"]` : 'button';
  const pressed = find(`#info-panel form[action="${CSS.escape(form.getAttribute('action'))}"] ${named}`);
  if (find('#info-panel [aria-invalid]') || !pressed?.checkVisibility()) focusPanel();
  else pressed.focus({ preventScroll: true });
}

/** Shows why a form was refused, above it. */
export function showRefusal(form, words) {
  const place = form.closest('.info-scroll, .page-scroll, .welcome-pane') ?? form;
  part(place, 'refusal')?.remove();
  const refusal = Object.assign(document.createElement('p'), { className: 'alert', role: 'alert', textContent: words });
  refusal.dataset.part = 'refusal';
  place.prepend(refusal);
  refusal.scrollIntoView({ block: 'nearest' });
}
