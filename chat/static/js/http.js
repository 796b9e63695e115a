/** Requests to the server, and what happens when the session has ended. */

import { me } from './page.js';

const REQUEST_TIMEOUT_MS = 10_000;

let isLoggingOut = false;

/** Logging out leads to the login page itself: the end of the session is no surprise. */
export function expectLogout(isExpected = true) {
  isLoggingOut = isExpected;
}

/** Leaves for the login page, which leads back here; drafts and unsent messages stay in this browser. */
export function goToLogin() {
  if (!isLoggingOut) location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
}

/**
 * Fetches `url` from this site as `accept`. A session that has ended leads to the login page.
 * Throws on a network failure, after 10 s, and on any answer but a success.
 */
export async function request(url, accept, signal) {
  const timeout = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
  const response = await fetch(url, {
    headers: { Accept: accept, 'X-User-Id': me.id },
    signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
  });
  if (response.status === 401 || (response.redirected && new URL(response.url).pathname === '/login')) {
    goToLogin();
    throw new Error('logged out');
  }
  if (!response.ok) throw Object.assign(new Error(response.statusText), { status: response.status });
  return response;
}

/** Where the details of a message are. */
export const messageUrl = (peerName, seq) => `/messages/${encodeURIComponent(peerName)}/${seq}`;

/** A page of a conversation: `{messages, lastSeq, readSeq}`; `range` holds before, after, limit. */
export async function fetchMessages(peerName, range, signal) {
  const query = new URLSearchParams(range);
  const response = await request(`/messages/${encodeURIComponent(peerName)}?${query}`, 'application/json', signal);
  return response.json();
}
