/** The server as an upload sees it: the requests of docs/protocol.md for files, and the messages that hold them. */

const MAX_BYTES = 1_000;

const errorOf = (status, code, fields) => ({ status, data: { error: { code, message: code, retry: false, ...fields } } });

export class FileServer {
  parts = new Map(); // clientId → the bytes that have come, of files that are not complete
  files = new Map(); // clientId → F, with its `content`
  requests = []; // "METHOD url"
  refusal = null; // what the next PUT is answered with
  cutAt = Infinity; // bytes of a body that come before the connection is cut
  losesAnswer = false; // the next answer to a PUT is lost
  isLoggedIn = true;

  /** Answers a request, or null where its connection is cut. `body` is a Blob. */
  async answer(method, url, body) {
    this.requests.push(`${method} ${url}`);
    const { pathname, searchParams } = new URL(url, 'http://server');
    const [, , clientId] = pathname.split('/');
    if (!this.isLoggedIn) return errorOf(401, 'unauthorized');
    if (method === 'GET') return { status: 200, data: this.#stateOf(clientId) };
    if (method === 'DELETE') return this.#delete(clientId);
    if (this.refusal) return this.#takeRefusal();
    return this.#put(clientId, searchParams, new Uint8Array(await body.arrayBuffer()));
  }

  #stateOf(clientId) {
    const file = this.files.get(clientId);
    return { offset: file ? file.size : (this.parts.get(clientId)?.length ?? 0), ...(file && { file }) };
  }

  #delete(clientId) {
    this.parts.delete(clientId);
    this.files.delete(clientId);
    return { status: 204 };
  }

  #takeRefusal() {
    const { refusal } = this;
    this.refusal = null;
    return refusal;
  }

  #put(clientId, query, bytes) {
    const offset = Number(query.get('offset'));
    const known = this.parts.get(clientId) ?? new Uint8Array();
    if (this.files.has(clientId)) return { status: 201, data: this.files.get(clientId) };
    if (known.length !== offset) return { status: 409, data: { ...errorOf(409, 'conflict').data, offset: known.length } };
    if (offset + bytes.length > MAX_BYTES) return errorOf(413, 'too_large');
    const isCut = bytes.length > this.cutAt;
    const content = new Uint8Array([...known, ...bytes.slice(0, this.cutAt)]);
    this.cutAt = Infinity;
    if (isCut) return void this.parts.set(clientId, content) ?? null;
    this.parts.delete(clientId);
    const file = { id: this.files.size + 1, name: query.get('name'), type: query.get('type'), size: content.length, alt: query.get('alt'), content };
    this.files.set(clientId, file);
    const isLost = this.losesAnswer;
    this.losesAnswer = false;
    return isLost ? null : { status: 201, data: file };
  }

  /** The content of the only file, as text. */
  get text() {
    const [file] = this.files.values();
    return file && new TextDecoder().decode(file.content);
  }
}

export { errorOf };
