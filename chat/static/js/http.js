/** Requests to the server, and what happens when the session has ended. */

import { me, parseHtml } from './page.js';

const REQUEST_TIMEOUT_MS = 10_000;

let isLoggingOut = false;
let requests = new AbortController(); // aborts all that are under way

/** While the person logs out, the end of the session is expected: `goToLogin` does nothing. */
export function expectLogout(isExpected = true) {
  isLoggingOut = isExpected;
  if (!isExpected) requests = new AbortController();
}

/** Sends a request as this page's person, with a time limit. `signal` may abort it before. */
export function send(url, { headers, ...options }, signal) {
  const signals = [requests.signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS), ...(signal ? [signal] : [])];
  return fetch(url, { ...options, headers: { ...headers, 'X-User-Id': me.id }, signal: AbortSignal.any(signals) });
}

/** Aborts the requests that are under way, and further ones: the session ends now, and they would be answered with 401. */
export function abortRequests() {
  requests.abort();
}

/** Aborts with `abortRequests`. */
export const pageSignal = () => requests.signal;

/** Goes to the login page, which leads back here. Drafts and unsent messages stay in this browser. */
export function goToLogin() {
  if (!isLoggingOut) location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
}

/** If an answer says that the session has ended, goes to the login page, and throws an error with `isLoggedOut`: nothing else is to be said. */
export function expectSession(response) {
  if (response.status !== 401 && !(response.redirected && new URL(response.url).pathname === '/login')) return;
  goToLogin();
  throw Object.assign(new Error('logged out'), { isLoggedOut: true });
}

/**
 * Fetches `url` from this site in the format `accept`. If the session has ended, goes to the login page.
 * Throws if the network fails, after 10 s without an answer, and if the answer is an error.
 */
export async function request(url, accept, signal) {
  const response = await send(url, { headers: { Accept: accept } }, signal);
  expectSession(response);
  if (!response.ok) throw Object.assign(new Error(response.statusText), { status: response.status });
  return response;
}

/** Fetches a page of this site as `request` does. Resolves to its document. */
export const requestPage = async (url, signal) => parseHtml(await (await request(url, 'text/html', signal)).text());

/** Fetches a page of a conversation, `{messages, lastSeq, readSeq}`. `range` may have before, after and limit. */
export async function fetchMessages(messagesUrl, range, signal) {
  const response = await request(`${messagesUrl}?${new URLSearchParams(range)}`, 'application/json', signal);
  return response.json();
}
