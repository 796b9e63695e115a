/**
 * What can be done to a message, and where it is offered: in the toolbar beside it and its menu, in the sheet of a long press,
 * and by keys. What an action does is said by `conversation.messageActions`.
 */

import { ActionMenu } from './action-menu.js';
import { allowedActions } from './allowed-actions.js';
import { say } from './announcer.js';
import { gettext } from './i18n.js';
import { loadLaterStyles } from './later-styles.js';
import { LongPress } from './long-press.js';
import { MessageSheet } from './message-sheet.js';
import { MessageToolbar } from './message-toolbar.js';
import { part } from './page.js';
import { ownReactions } from './reactions.js';

const loadReactionNames = () => import('./reaction-names.js');

/** Offers the actions on the messages of a conversation until `signal` ends it. `event` is the gesture that asked for them. */
export function addMessageActions(conversation, signal, event) {
  new MessageActions(conversation, signal).begin(event);
}

class MessageActions {
  constructor(conversation, signal) {
    Object.assign(this, { conversation, signal });
    this.list = conversation.messageList.list;
    this.menu = new ActionMenu(this);
    this.sheet = new MessageSheet(this);
    this.toolbar = new MessageToolbar(this);
    this.longPress = new LongPress(this.list, (target) => this.#pressedLong(target), signal);
    this.list.addEventListener('click', (event) => this.#clicked(event), { signal });
    this.list.addEventListener('keydown', (event) => this.#pressed(event), { signal });
    loadReactionNames().then(({ watchChips }) => signal.aborted || watchChips(conversation, signal), () => {});
    signal.addEventListener('abort', () => this.menu.close());
    loadLaterStyles();
  }

  begin(event) {
    this.toolbar.notice(event);
    if (event.type === 'pointerdown') this.longPress.begin(event);
    if (event.type === 'keydown') this.#pressed(event);
  }

  allowed(row) {
    return allowedActions(row, this.conversation.section);
  }

  /** Does what a button asks for, except what asks for more first: `react` and `delete`. */
  perform(action, row) {
    const { messageActions } = this.conversation;
    if (action === 'reply') messageActions.reply(row);
    if (action === 'edit') messageActions.edit(row);
    if (action === 'copy') messageActions.copy(row);
    if (action === 'pin') messageActions.pin(row, true);
    if (action === 'unpin') messageActions.pin(row, false);
    if (action === 'unread') messageActions.markUnread(row);
    if (action === 'details') part(row, 'details').click();
    if (action === 'confirm-delete') messageActions.remove(row);
  }

  /** Reacts, or takes the reaction back. */
  toggle(row, emoji) {
    this.conversation.messageActions.react(row, emoji, !ownReactions(row).includes(emoji));
  }

  /** Calls `show(makePicker)` when the picker has come, and says where it does not. */
  async loadPicker(show) {
    const [module] = await Promise.all([import('./emoji-picker.js').catch(() => null), loadLaterStyles()]);
    const data = await module?.loadEmoji().catch(() => null);
    if (data) show((onPick) => module.makePicker(data, onPick));
    else say(gettext('The emoji could not be loaded.'));
  }

  #pressedLong(target) {
    const chip = target.closest('.chip[data-emoji]');
    if (chip) return void loadReactionNames().then(({ showNames }) => showNames(chip, this.conversation), () => {});
    const row = target.closest('li.message');
    if (row) this.sheet.open(row);
  }

  /** The last chip, which adds another. */
  #clicked({ target }) {
    const chip = target.closest('.chip-add');
    const row = chip?.closest('li.message');
    if (row && this.allowed(row).has('react')) this.menu.openReactions(row, chip);
  }

  /** The keys of a message that has the focus: M, Shift+F10 and the key of the context menu open its menu. */
  #pressed(event) {
    const row = event.target.closest('li.message');
    if (!row || event.defaultPrevented || !isMenuKey(event)) return;
    event.preventDefault();
    this.menu.openActions(row, event.target, { isWhole: true });
  }
}

function isMenuKey({ key, shiftKey, altKey, ctrlKey, metaKey }) {
  if (altKey || ctrlKey || metaKey) return false;
  return key === 'ContextMenu' || key.toLowerCase() === 'm' || (key === 'F10' && shiftKey);
}
