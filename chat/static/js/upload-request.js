/** The requests of an upload. They tell their progress, which `fetch` does not, and end where nothing moves any more. */

import { goToLogin, pageSignal, request } from './http.js';
import { find, me, parseHtml } from './page.js';

const STALLED_MS = 30_000; // without a byte that moved, and without an answer

let token = find('meta[name="csrf-token"]')?.content; // of the session

/** Returns `request(method, url, {body, onProgress})` for upload.js; `signal` aborts what is under way, and its promise then rejects. */
export const requestWith = (signal) => async (method, url, options = {}) => {
  const answer = await send(method, url, options, signal);
  if (answer?.status === 401) goToLogin();
  // The page may be older than the session: its token is then refused, before the server has taken anything.
  if (answer?.status === 400 && method !== 'GET' && (await renewToken(signal))) return send(method, url, options, signal);
  return answer;
};

/** Takes the token of a fresh page. Returns whether it is another one. */
async function renewToken(signal) {
  const page = await request(location.pathname, 'text/html', signal).then((response) => response.text(), () => '');
  const fresh = find('meta[name="csrf-token"]', parseHtml(page))?.content;
  const isOther = Boolean(fresh && fresh !== token);
  if (isOther) token = fresh;
  return isOther;
}

function send(method, url, { body, onProgress }, signal) {
  return new Promise((resolve, reject) => {
    const signals = AbortSignal.any([signal, pageSignal()]);
    if (signals.aborted) return reject(signals.reason);
    const xhr = new XMLHttpRequest();
    const abort = () => {
      xhr.abort();
      reject(signals.reason);
    };
    let timer;
    const moved = () => {
      clearTimeout(timer);
      timer = setTimeout(() => xhr.abort(), STALLED_MS);
    };
    xhr.open(method, url);
    const headers = { Accept: 'application/json', 'X-User-Id': me.id, 'X-CSRFToken': token, ...(body && { 'Content-Type': 'application/octet-stream' }) };
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    xhr.responseType = 'json';
    xhr.upload.onprogress = ({ loaded }) => {
      moved();
      onProgress?.(loaded);
    };
    xhr.onloadend = () => { // answered, failed or aborted
      clearTimeout(timer);
      signals.removeEventListener('abort', abort);
      resolve(xhr.status ? { status: xhr.status, data: xhr.response } : null);
    };
    signals.addEventListener('abort', abort);
    moved();
    xhr.send(body);
  });
}
