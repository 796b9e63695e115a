/**
 * Logging out. It deletes what the person wrote from this browser, in all its tabs: drafts and unsent messages.
 *
 * They stay when a session ends in another way, as after its time: the person will log in again.
 */

import { draftNames } from './draft-names.js';
import { abortRequests } from './http.js';
import { gettext, ngettext } from './i18n.js';

const REQUEST_TIMEOUT_MS = 10_000;
const LAST_MESSAGES_MS = 1_000; // for messages that are being sent
const CLOSING_MS = 1_000;
const DELETION_MS = 1_000; // a browser may never answer
const PAUSE_MS = 50;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Ends the session. Resolves to the address to go to, or to null if the person stays, since unsent messages would be
 * deleted. Throws if the server does not answer. If it answers with an error, the browser sends the form and shows it.
 */
export async function logOut(form, outbox, closeSocket) {
  for (let waited = 0; outbox.isSending && waited < LAST_MESSAGES_MS; waited += PAUSE_MS) await pause(PAUSE_MS);
  if (outbox.length && !confirm(questionOf(outbox.counts))) return null;
  await Promise.race([closeSocket(), pause(CLOSING_MS)]); // else the server cuts the connection, perhaps during its upgrade
  abortRequests();
  const response = await fetch(form.action, {
    method: 'POST', body: new URLSearchParams(new FormData(form)), redirect: 'manual',
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  });
  if (response.type !== 'opaqueredirect') return void form.submit();
  outbox.close();
  for (const name of draftNames()) localStorage.removeItem(name);
  await Promise.race([outbox.deleteStored(), pause(DELETION_MS)]);
  return '/login';
}

/** What is asked where something was not sent: messages, what was done to messages, or both. */
function questionOf({ messages, changes }) {
  if (!changes) {
    return ngettext('%(num)s message has not been sent yet. Log out and delete it?',
      '%(num)s messages have not been sent yet. Log out and delete them?', messages);
  }
  if (!messages) {
    return ngettext('%(num)s change of a message has not been sent yet. Log out and delete it?',
      '%(num)s changes of messages have not been sent yet. Log out and delete them?', changes);
  }
  const ofMessages = ngettext('%(num)s message', '%(num)s messages', messages);
  const ofChanges = ngettext('%(num)s change', '%(num)s changes', changes);
  return gettext('%(messages)s and %(changes)s have not been sent yet. Log out and delete them?', { messages: ofMessages, changes: ofChanges });
}
