/**
 * What a person does to the messages of a list: presses a chip, a quote or a pin, or begins to point at a message. The toolbar,
 * the menu and the sheet are loaded when somebody first does the latter.
 */

import { say } from './announcer.js';
import { showNotice } from './banner.js';
import { later } from './later.js';
import { loadConversationMore } from './load-conversation-more.js';
import { find, isPlainClick } from './page.js';

const PANEL_BESIDE = '(width >= 72rem)'; // of the style sheet: in a narrower window the panel lies over the messages

const loadMessageActions = later(() => import('./message-actions.js'));

/** Watches the list of a conversation and its panel until `signal` ends it. */
export function watchGestures(conversation, signal) {
  const { list, rows } = conversation.messageList;
  list.addEventListener('click', (event) => pressed(event, conversation), { signal });
  conversation.section.parentElement.addEventListener('click', (event) => pinPressed(event, conversation.messageList), { signal });
  const named = Number(new URLSearchParams(location.search).get('at')); // the message that the address leads to
  if (named) loadConversationMore().then(({ ring }) => ring(rows.withSeq(named)), () => {});

  const loaded = new AbortController();
  const untilLoaded = { passive: true, signal: AbortSignal.any([signal, loaded.signal]) };
  let latest = null; // the gesture to go on with when they have come
  const first = async (event) => {
    const isLoading = latest !== null;
    latest = event;
    if (isLoading) return;
    const module = await loadMessageActions().catch(() => null);
    const gesture = latest;
    latest = null; // where they do not come, the next gesture asks for them again
    if (!module || signal.aborted) return;
    loaded.abort();
    module.addMessageActions(conversation, signal, gesture);
  };
  for (const type of ['pointerover', 'focusin', 'pointerdown', 'pointerup', 'keydown']) list.addEventListener(type, first, untilLoaded);
}

function pressed(event, { messageActions, messageList, section }) {
  const copy = event.target.closest('[data-action="copy-code"]');
  if (copy) import('./code-block.js').then(({ copyCode }) => copyCode(copy, say), () => {});
  const chip = event.target.closest('.chip[data-emoji]');
  const quote = event.target.closest('[data-part="quote"]');
  if (chip && find('#composer', section).hidden) showNotice(find('#archived', section).textContent.trim());
  else if (chip) messageActions.react(chip.closest('li.message'), chip.dataset.emoji, chip.ariaPressed !== 'true');
  if (!quote || !isPlainClick(event)) return;
  event.preventDefault();
  if (quote.dataset.quotedSeq) goTo(messageList, quote.dataset.quotedSeq);
}

/** A pin leads to its message. Where the panel lies over the messages its link does, which closes it. */
function pinPressed(event, messageList) {
  const pin = event.target.closest('.pin');
  if (!pin || !isPlainClick(event) || !matchMedia(PANEL_BESIDE).matches) return;
  event.preventDefault();
  goTo(messageList, pin.dataset.seq);
}

function goTo(messageList, seq) {
  loadConversationMore().then((module) => module.goTo(messageList, Number(seq)), () => {});
}
