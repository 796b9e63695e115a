/** Who reacted: the names stand beside a chip under the pointer, with the focus, or after a long press. */

import { gettext, locale } from './i18n.js';
import { request } from './http.js';
import { me } from './page.js';

const HOVER_MS = 300;
const MARGIN_PX = 8; // from the edges of the window
const CHIP = '.chip[data-emoji]';
const listFormat = new Intl.ListFormat(locale, { type: 'conjunction' });

let timer;
let shown = null; // {chip, tip}

/** Shows the names at the chips of a conversation until `signal` ends it. */
export function watchChips(conversation, signal) {
  const { list } = conversation.messageList;
  const hideUnless = (target) => shown && !shown.chip.contains(target) && hideNames();
  list.addEventListener('pointerover', ({ target, pointerType }) => {
    const chip = target.closest(CHIP);
    hideUnless(target);
    clearTimeout(timer);
    if (chip && pointerType === 'mouse') timer = setTimeout(() => showNames(chip, conversation), HOVER_MS);
  }, { signal, passive: true });
  list.addEventListener('pointerleave', ({ pointerType }) => pointerType === 'mouse' && hideNames(), { signal });
  list.addEventListener('focusin', ({ target }) => {
    hideUnless(target);
    if (target.matches(`${CHIP}:focus-visible`)) showNames(target, conversation);
  }, { signal });
  list.addEventListener('focusout', hideNames, { signal });
  addEventListener('pointerdown', ({ target }) => hideUnless(target), { signal, passive: true });
  addEventListener('scroll', hideNames, { signal, capture: true, passive: true });
  list.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !shown) return;
    hideNames();
    event.preventDefault();
  }, { signal });
  signal.addEventListener('abort', hideNames);
}

/** Asks the server who reacted with the emoji of a chip, and shows the names. */
export async function showNames(chip, { messageList }) {
  clearTimeout(timer);
  const { seq } = chip.closest('li.message').dataset;
  const { emoji } = chip.dataset;
  const people = seq ? await peopleOf(`${messageList.messagesUrl}/${seq}`, emoji, messageList.signal) : [];
  const isStill = chip.isConnected && (chip.matches(':hover, :focus') || !matchMedia('(hover: hover)').matches);
  const names = namesOf(people, chip.ariaPressed === 'true');
  if (!isStill || !names.length) return;
  hideNames();
  const tip = Object.assign(document.createElement('div'), { id: 'reaction-names', className: 'reaction-names', role: 'tooltip', popover: 'manual' });
  tip.append(Object.assign(document.createElement('span'), { textContent: emoji }), listFormat.format(names));
  document.body.append(tip);
  tip.showPopover();
  place(tip, chip);
  chip.setAttribute('aria-describedby', tip.id);
  shown = { chip, tip };
}

async function peopleOf(url, emoji, signal) {
  const details = await request(url, 'application/json', signal).then((answer) => answer.json()).catch(() => null);
  return details?.reactions?.find((reaction) => reaction.emoji === emoji)?.people ?? [];
}

/** One's own reaction shows at once, also where the server has not heard of it; it is the last one. */
function namesOf(people, isMine) {
  const others = people.filter(({ id }) => id !== me.id).map(({ username }) => username);
  return isMine ? [...others, others.length ? gettext('you') : gettext('You')] : others;
}

function hideNames() {
  clearTimeout(timer);
  shown?.chip.removeAttribute('aria-describedby');
  shown?.tip.remove();
  shown = null;
}

function place(tip, chip) {
  const { left, top, bottom } = chip.getBoundingClientRect();
  const above = top - tip.offsetHeight - MARGIN_PX;
  tip.style.left = `${Math.max(MARGIN_PX, Math.min(left, innerWidth - tip.offsetWidth - MARGIN_PX))}px`;
  tip.style.top = `${above >= MARGIN_PX ? above : bottom + MARGIN_PX}px`;
}
