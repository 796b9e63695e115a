/**
 * The way of one file to the server. The server is asked how much of it has come, and gets the rest: so a file that was cut goes
 * on where it was cut, after a reload and from another tab too. It is stored once, by its clientId, however often that is done.
 *
 * These rules know no network: `request(method, url, {body, onProgress})` resolves to `{status, data}`, or to null where no
 * answer came.
 */

import { MAX_DESCRIPTION, MAX_NAME, fitting } from './description.js';
import { gettext } from './i18n.js';

const MAX_TURNS = 5; // of one try; the outbox makes the next one after a pause
const MAX_SILENT_WAIT_S = 30; // a longer pause is for the person to know of, and to decide

/**
 * Uploads `blob`, the content of `file`. `onProgress(bytes)` tells how much the server has, or is being sent. Resolves to `{file}`, as
 * the server has it, or to `{ack}`: why not, in the form of an acknowledgement, or null where no answer came.
 */
export async function uploadFile(file, blob, request, onProgress = () => {}) {
  const url = `/files/${encodeURIComponent(file.clientId)}`;
  const known = await request('GET', `${url}/offset`);
  if (known?.status !== 200) return { ack: ackOf(known) };
  if (known.data.file) return { file: known.data.file };
  let { offset } = known.data;
  for (let turn = 0; turn < MAX_TURNS; turn += 1) {
    const start = offset;
    onProgress(start);
    const body = blob.slice(start);
    const answer = await request('PUT', `${url}?${queryOf(file, start)}`, { body, onProgress: (bytes) => onProgress(start + bytes) });
    if (answer?.status === 201) return { file: answer.data };
    const told = answer?.status === 409 ? answer.data.offset : undefined;
    if (told === undefined) return { ack: ackOf(answer) };
    if (told === start || told > blob.size) break; // another tab is at it
    offset = told;
  }
  return { ack: null };
}

function queryOf({ name, type, alt, duration }, offset) {
  const fields = { offset, name: fitting(name, MAX_NAME), type, ...(alt && { alt: fitting(alt, MAX_DESCRIPTION) }), ...(duration && { duration }) };
  return new URLSearchParams(fields);
}

/** Returns a failed answer as the acknowledgement of an entry, or null if it has no error of the chat and a retry may succeed. */
export function ackOf(answer) {
  if (!answer) return null;
  const { status, data } = answer;
  if (status === 401) return { ok: false, error: { code: 'unauthorized' } };
  const error = data?.error;
  if (error && !isLongWait(status, error)) return { ok: false, error };
  if (error) return { ok: false, error: { ...error, retry: false } };
  const final = REFUSED_BY_A_PROXY[status]?.();
  return final ? { ok: false, error: { ...final, retry: false } } : null;
}

/** An error without the chat's JSON comes from a proxy. These are final. */
const REFUSED_BY_A_PROXY = {
  413: () => ({ code: 'too_large', message: gettext('The file is too large.') }),
  414: () => ({ code: 'invalid', message: gettext('The name or the description of the file is too long.') }),
  431: () => ({ code: 'invalid', message: gettext('The name or the description of the file is too long.') }),
};

/** Whether the wait until a retry can succeed is so long that the person is told: a quota of the day, a full disk. */
const isLongWait = (status, { retryAfter = 0 }) => status === 507 || retryAfter > MAX_SILENT_WAIT_S;
