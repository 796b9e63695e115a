/** The emoji picker of the field: what is chosen comes to the caret. Loaded later (composer.js). */

import { say } from './announcer.js';
import { loadEmoji, makePicker } from './emoji-picker.js';
import { replaceQuietly, replaceText } from './field-text.js';
import { gettext } from './i18n.js';
import { loadLaterStyles } from './later-styles.js';
import { find, onTouch } from './page.js';
import { openPopover } from './popover.js';

let open = null; // what popover.js returns

/** Opens the picker beside `button`, or closes it. */
export async function toggleEmojiPicker(button, field) {
  if (open) return open.close();
  const [groups] = await Promise.all([loadEmoji().catch(() => null), loadLaterStyles()]);
  if (!groups) return say(gettext('The emoji could not be loaded.'));
  if (open || !button.isConnected) return;
  const picker = makePicker(groups, (emoji, options) => insert(field, emoji, options), { canStay: true });
  button.ariaExpanded = 'true';
  open = openPopover(picker, button, {
    label: gettext('Emoji'), returnTo: onTouch() ? button : field, // on touch the field would open the keyboard
    onClosed: () => {
      button.ariaExpanded = 'false';
      open = null;
    },
  });
  if (!onTouch()) find('input', picker).focus();
}

/** Puts an emoji in the place of the selection. */
function insert(field, emoji, { name, isKeptOpen }) {
  const { selectionStart, selectionEnd } = field;
  if (onTouch()) {
    replaceQuietly(field, selectionStart, selectionEnd, emoji);
  } else {
    const focused = document.activeElement;
    replaceText(field, selectionStart, selectionEnd, emoji);
    if (isKeptOpen) focused.focus({ preventScroll: true });
  }
  say(gettext('Inserted: %(name)s', { name }));
  if (!isKeptOpen) open.close();
}

/** Loads all emoji, so that they are there even if the network is not. */
export const preloadEmoji = () => loadEmoji().catch(() => {});
