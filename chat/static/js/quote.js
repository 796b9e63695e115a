/** The quote in the bubble of a reply: a press leads to its message, however far back it is. */

import { filesInWords } from './file-words.js';
import { plainWords, showWords } from './formatter.js';
import { gettext } from './i18n.js';
import { loadStyles } from './later-styles.js';
import { find, fromTemplate, me, part, setText } from './page.js';
import { deletedWords, shortened } from './text.js';

const RING_MS = 1_500;

/** Shows what the message of a row answers, `{seq, sender, senderId, message, words, deleted, file}`, or that it answers nothing. */
export function showQuote(row, quoted) {
  const known = part(row, 'quote');
  if (!quoted) return void known?.remove();
  const quote = known ?? fromTemplate('quote-template');
  if (!known) {
    quote.tabIndex = part(row, 'details').tabIndex; // in the Tab order is that of the message that has the focus
    part(row, 'sender').after(quote);
  }
  const { seq, sender, senderId, message = '', words, deleted = false, file = null } = quoted;
  if (seq) Object.assign(quote, { href: addressOf(seq) }).dataset.quotedSeq = seq;
  quote.toggleAttribute('data-deleted', deleted);
  quote.dataset.senderId = senderId;
  setText(part(quote, 'quote-sender'), senderId === me.id ? gettext('You') : sender);
  showWords(part(quote, 'quote-text'), message, () => (deleted ? deletedWords() : words ?? (shortened(plainWords(message)) || filesInWords(file ? [file] : []))));
  showThumbnail(quote, deleted ? null : file);
}

/** The address of a message of the conversation that is open: the page itself may be the answer to a form, at another address. */
const addressOf = (seq) => `${find('#conversation')?.dataset.pageUrl ?? ''}?at=${seq}#message-${seq}`;

function showThumbnail(quote, file) {
  const src = file?.hasPreview && file.id ? `/files/${file.id}/preview` : null;
  const known = part(quote, 'quote-image');
  if (known?.getAttribute('src') === src) return;
  known?.remove();
  if (!src) return;
  loadStyles('files');
  const image = Object.assign(new Image(52, 36), { src, alt: '' });
  image.dataset.part = 'quote-image';
  quote.prepend(image);
}

/** Goes to the message with `seq` and rings it for a moment. */
export async function goTo(messageList, seq) {
  const row = await messageList.goTo(seq);
  // What was pressed, as a quote, may have gone with the rows around it.
  if (row && document.activeElement === document.body) part(row, 'details')?.focus({ preventScroll: true });
  ring(row);
}

export function ring(row) {
  row?.classList.add('ringed');
  setTimeout(() => row?.classList.remove('ringed'), RING_MS);
}
