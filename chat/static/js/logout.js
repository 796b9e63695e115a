/**
 * Logging out: nothing that a person wrote stays in this browser, in none of its tabs.
 *
 * A session that ends by itself takes nothing: its person comes back, and drafts and unsent messages wait.
 */

import { ngettext } from './i18n.js';
import { me } from './page.js';

const REQUEST_TIMEOUT_MS = 10_000;
const LAST_MESSAGES_MS = 1_000; // for what is on its way
const CLOSING_MS = 1_000;
const DELETION_MS = 1_000; // a browser may never answer
const PAUSE_MS = 50;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Ends the session. Resolves to where the page goes now; to null where the person would rather stay, for messages that
 * were not sent go too. Throws where the server does not answer; the form itself shows what it answers else.
 */
export async function logOut(form, outbox, closeSocket) {
  for (let waited = 0; outbox.isSending && waited < LAST_MESSAGES_MS; waited += PAUSE_MS) await pause(PAUSE_MS);
  const unsent = outbox.length;
  const words = () => ngettext('%(num)s message has not been sent yet. Log out and delete it?',
    '%(num)s messages have not been sent yet. Log out and delete them?', unsent);
  if (unsent && !confirm(words())) return null;
  await Promise.race([closeSocket(), pause(CLOSING_MS)]); // the server would cut it, perhaps while it becomes a WebSocket
  const response = await fetch(form.action, {
    method: 'POST', body: new URLSearchParams(new FormData(form)), redirect: 'manual',
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  });
  if (response.type !== 'opaqueredirect') return void form.submit();
  outbox.close();
  forgetDrafts();
  await Promise.race([outbox.deleteStored(), pause(DELETION_MS)]);
  return '/login';
}

function forgetDrafts() {
  try {
    const isOwn = (key) => key.startsWith(`draft:${me.id}:`);
    Object.keys(localStorage).filter(isOwn).forEach((key) => localStorage.removeItem(key));
  } catch {
    // Storage that is closed keeps nothing.
  }
}
