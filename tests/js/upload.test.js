import assert from 'node:assert/strict';
import { test } from 'node:test';

globalThis.document ??= { documentElement: { lang: 'en' }, body: { dataset: {} }, querySelector: () => null };
globalThis.navigator ??= {};
const { uploadFile } = await import('../../chat/static/js/upload.js');
const { fitting } = await import('../../chat/static/js/description.js');
const { FileServer, errorOf } = await import('./file-server.js');

const TEXT = 'the whole content of a small file';
const FILE = { clientId: 'f', name: 'späß & co.txt', type: 'text/plain', size: TEXT.length, alt: 'words' };
const blob = new Blob([TEXT]);

/** One try, as the outbox makes it. `seen` gets the progress, and `body`s whose connection is cut have sent some of it. */
function tryOnce(server, seen = []) {
  const request = async (method, url, { body, onProgress } = {}) => {
    onProgress?.(Math.min(body.size, server.cutAt));
    return server.answer(method, url, body);
  };
  return uploadFile(FILE, blob, request, (bytes) => seen.push(bytes));
}

test('it works', async () => {
  const server = new FileServer();
  const { file } = await tryOnce(server);
  assert.deepEqual([file.id, file.name, file.type, file.alt], [1, FILE.name, FILE.type, 'words']);
  assert.equal(server.text, TEXT);
});

test('cut at each of its bytes it goes on there, and is stored once', async () => {
  for (let cut = 0; cut < TEXT.length; cut += 1) {
    const server = new FileServer();
    server.cutAt = cut;
    assert.deepEqual(await tryOnce(server), { ack: null });
    const seen = [];
    const { file } = await tryOnce(server, seen);
    assert.equal(server.text, TEXT);
    assert.equal(file.id, 1);
    assert.equal(server.files.size, 1);
    assert.equal(seen[0], cut, 'what is there is not sent again');
    assert.equal(seen.at(-1), TEXT.length);
  }
});

test('cut after each byte, again and again, it arrives', async () => {
  const server = new FileServer();
  for (let tries = 0; tries < TEXT.length - 1; tries += 1) {
    server.cutAt = 1;
    assert.deepEqual(await tryOnce(server), { ack: null });
  }
  assert.ok((await tryOnce(server)).file);
  assert.equal(server.text, TEXT);
});

test('where the answer is lost, the next try finds the file', async () => {
  const server = new FileServer();
  server.losesAnswer = true;
  assert.deepEqual(await tryOnce(server), { ack: null });
  assert.equal((await tryOnce(server)).file.id, 1);
  assert.equal(server.requests.filter((line) => line.startsWith('PUT')).length, 1);
});

test('the server says where to go on (409)', async () => {
  const server = new FileServer();
  server.parts.set('f', new TextEncoder().encode(TEXT.slice(0, 5)));
  const request = async (method, url, { body } = {}) => (method === 'GET' ? { status: 200, data: { offset: 9 } } : server.answer(method, url, body));
  assert.ok((await uploadFile(FILE, blob, request)).file);
  assert.equal(server.text, TEXT);
});

test('another tab that is at it is left alone', async () => {
  const methods = [];
  const request = async (method) => {
    methods.push(method);
    return method === 'GET' ? { status: 200, data: { offset: 3 } } : { status: 409, data: { offset: 3 } };
  };
  assert.deepEqual(await uploadFile(FILE, blob, request), { ack: null });
  assert.deepEqual(methods, ['GET', 'PUT']);
});

const answers = async (status, data) => {
  const server = new FileServer();
  server.refusal = { status, data };
  return (await tryOnce(server)).ack;
};

test('too large, invalid, and a full disk are the last word', async () => {
  for (const [status, code] of [[413, 'too_large'], [400, 'invalid'], [507, 'unavailable']]) {
    const { ok, error } = await answers(status, { error: { code, message: 'Why not', retry: status === 507 } });
    assert.deepEqual([ok, error.code, error.message, error.retry], [false, code, 'Why not', false]);
  }
  for (const status of [413, 414, 431]) { // a proxy says so, without words
    const { code, message, retry } = (await answers(status, null)).error;
    assert.deepEqual([code, retry, message.length > 10], [status === 413 ? 'too_large' : 'invalid', false, true]);
  }
});

test('a short pause is kept in silence, a long one is said (429)', async () => {
  const limited = (retryAfter) => answers(429, { error: { code: 'rate_limited', message: 'Later', retry: true, retryAfter } });
  assert.deepEqual((await limited(5)).error, { code: 'rate_limited', message: 'Later', retry: true, retryAfter: 5 });
  assert.equal((await limited(3600)).error.retry, false);
});

test('an ended session sends nothing, and refuses nothing for ever (401)', async () => {
  const server = new FileServer();
  server.isLoggedIn = false;
  assert.deepEqual(await tryOnce(server), { ack: { ok: false, error: { code: 'unauthorized' } } });
  assert.deepEqual(server.requests.map((line) => line.split(' ')[0]), ['GET']);
});

test('an upload that stalled goes on (503)', async () => {
  assert.equal((await answers(503, { error: { code: 'unavailable', message: 'Cut', retry: true } })).error.retry, true);
});

test('whatever the name and the description, the address is no longer than servers take', async () => {
  for (const letter of ['a', '\u4e2d', '\u{1f600}', '%', '\ud800']) {
    const server = new FileServer();
    const file = { ...FILE, clientId: 'c'.repeat(36), name: `${letter.repeat(400)}.txt`, alt: letter.repeat(1000) };
    const { file: stored } = await uploadFile(file, blob, (method, url, { body } = {}) => server.answer(method, url, body));
    assert.ok(server.requests.every((line) => line.length < 8_000), letter);
    assert.ok(stored.alt.length > 300 && file.alt.toWellFormed().startsWith(stored.alt), letter);
  }
});

test('what is cut is cut between characters, and what fits is left alone', () => {
  assert.equal(fitting('a\u4e2db', 11), 'a\u4e2db');
  assert.equal(fitting('a\u4e2db', 10), 'a\u4e2d');
  assert.equal(fitting('a\u{1f600}', 12), 'a');
});

test('an error without words is tried again', async () => {
  assert.equal(await answers(502, null), null);
  assert.equal(errorOf(400, 'invalid').data.error.retry, false);
});
