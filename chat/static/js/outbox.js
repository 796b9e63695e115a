/**
 * What a person has written and the server has not acknowledged: `Outbox` decides, a store keeps, `Dispatcher` does.
 *
 * An entry `{clientId, receiverId, message, createdAt, attempts, state: 'waiting' | 'failed', reason}` leaves in
 * order, one in flight a conversation. A clientId is stored once however often it comes: in doubt, send again.
 */

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;
const STORAGE_MS = 2_000; // a browser's storage may never answer
const HOPELESS = ['invalid', 'too_long', 'not_found', 'unknown_event']; // refused again however often it is sent

/** The rules, without clock, storage or network: times are given in ms. */
export class Outbox {
  #entries = [];
  #inFlight = new Map(); // receiverId → clientId
  #notBefore = new Map(); // receiverId → ms

  constructor(entries = []) {
    for (const entry of entries) this.put({ ...entry, attempts: 0 });
  }

  /** Takes an entry as a store or another tab knows it. */
  put(entry) {
    const known = this.get(entry.clientId);
    if (known) Object.assign(known, entry);
    else this.#entries.push(entry);
    this.#entries.sort((a, b) => a.createdAt - b.createdAt);
  }

  add({ clientId, receiverId, message }, now) {
    const entry = { clientId, receiverId, message, createdAt: this.#after(now), attempts: 0, state: 'waiting' };
    this.#entries.push(entry);
    return entry;
  }

  /** `createdAt` is the order, whatever the clock does. */
  #after(now) {
    return Math.max(now, (this.#entries.at(-1)?.createdAt ?? 0) + 1);
  }

  get(clientId) {
    return this.#entries.find((entry) => entry.clientId === clientId);
  }

  to(receiverId) {
    return this.#entries.filter((entry) => entry.receiverId === receiverId);
  }

  get length() {
    return this.#entries.length;
  }

  get isWaiting() {
    return this.#entries.some((entry) => entry.state === 'waiting');
  }

  /** What to send now: the first waiting entry of each conversation that has none in flight. */
  take(now) {
    const due = this.#heads().filter((entry) => this.#dueAt(entry) <= now);
    for (const entry of due) {
      entry.attempts += 1;
      this.#inFlight.set(entry.receiverId, entry.clientId);
    }
    return due;
  }

  /** When `take` will next have something, in ms; Infinity if only an answer can bring it. */
  nextAt() {
    return Math.min(Infinity, ...this.#heads().map((entry) => this.#dueAt(entry)));
  }

  #heads() {
    const heads = new Map();
    for (const entry of this.#entries) {
      if (entry.state === 'waiting' && !heads.has(entry.receiverId)) heads.set(entry.receiverId, entry);
    }
    return [...heads.values()].filter((entry) => !this.#inFlight.has(entry.receiverId));
  }

  #dueAt(entry) {
    return this.#notBefore.get(entry.receiverId) ?? 0;
  }

  /**
   * Takes the acknowledgement of an entry, null when none came. Returns 'sent' (the entry is gone),
   * 'failed' (kept for the person to decide) or 'waiting' (it will be taken again).
   */
  settle(entry, answer, now) {
    if (this.#inFlight.get(entry.receiverId) === entry.clientId) this.#inFlight.delete(entry.receiverId);
    if (answer?.ok) {
      this.#notBefore.delete(entry.receiverId);
      this.remove(entry.clientId);
      return 'sent';
    }
    if (isFinal(answer)) {
      const refused = this.get(entry.clientId);
      const isHopeless = HOPELESS.includes(answer.error.code);
      if (refused) Object.assign(refused, { state: 'failed', reason: answer.error.message, isHopeless });
      return 'failed';
    }
    const growing = FIRST_PAUSE_MS * 2 ** (entry.attempts - 1);
    const asked = (answer?.error?.retryAfter ?? 0) * 1000;
    this.#notBefore.set(entry.receiverId, now + Math.max(asked, Math.min(LONGEST_PAUSE_MS, growing)));
    return 'waiting';
  }

  /** What waited for the network waits no longer. */
  networkReturned() {
    this.#notBefore.clear();
    for (const entry of this.#entries) entry.attempts = 0;
  }

  /** Sends a failed entry again, as the last one and with the same clientId. */
  retry(clientId, now) {
    const entry = this.get(clientId);
    if (entry) this.put({ ...entry, createdAt: this.#after(now), attempts: 0, state: 'waiting', reason: undefined });
    return this.get(clientId);
  }

  remove(clientId) {
    this.#entries = this.#entries.filter((entry) => entry.clientId !== clientId);
  }
}

/** A refusal that no repetition changes. An ended session is not one. */
function isFinal(answer) {
  return answer?.ok === false && !answer.error?.retry && answer.error?.code !== 'unauthorized';
}

/** A name for a message that no other ever has; `crypto.randomUUID` is missing without https. */
export function newClientId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** A store that ends with the page: `all()`, `put(entry)`, `remove(clientId)`. */
export function openMemoryStore() {
  const entries = new Map();
  return {
    all: async () => [...entries.values()],
    put: async (entry) => void entries.set(entry.clientId, entry),
    remove: async (clientId) => void entries.delete(clientId),
  };
}

const databaseName = (ownerId) => `outbox:${ownerId}`;

/**
 * Opens a person's database in this browser: its `entries` are the outbox, its `trails` the send log (send-log.js).
 * Resolves to `run(store, mode, action)`, a transaction that resolves to the result of the request `action` returns.
 */
export async function openDatabase(ownerId) {
  const opening = indexedDB.open(databaseName(ownerId), 2);
  opening.onupgradeneeded = ({ oldVersion }) => {
    if (oldVersion < 1) opening.result.createObjectStore('entries', { keyPath: 'clientId' });
    opening.result.createObjectStore('trails', { keyPath: 'clientId' }).createIndex('written', 'written');
  };
  const database = await inTime(new Promise((resolve, reject) => {
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = opening.onblocked = () => reject(opening.error);
  }), STORAGE_MS, () => { opening.onsuccess = () => opening.result.close(); });
  database.onversionchange = () => database.close(); // rather than keep a newer page from its own
  let isDead = false; // it is asked all the same, and no more waited for
  return async (store, mode, action) => {
    const answer = new Promise((resolve, reject) => {
      const transaction = database.transaction(store, mode);
      const asked = action(transaction.objectStore(store));
      transaction.oncomplete = () => resolve(asked.result);
      transaction.onabort = () => reject(transaction.error);
    });
    answer.then(() => { isDead = false; }, () => {}); // late, as after a sleep of the machine
    return inTime(answer, isDead ? 0 : STORAGE_MS, () => { isDead = true; });
  };
}

/** What was promised, or a failure after `limitMs`. */
function inTime(promise, limitMs, onLate) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      onLate();
      reject(new Error('no answer'));
    }, limitMs);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** The same in IndexedDB, a database for each person: nobody else sends its entries. */
export async function openBrowserStore(ownerId) {
  const run = await openDatabase(ownerId);
  return {
    all: () => run('entries', 'readonly', (entries) => entries.getAll()),
    put: (entry) => run('entries', 'readwrite', (entries) => entries.put(entry)),
    remove: (clientId) => run('entries', 'readwrite', (entries) => entries.delete(clientId)),
  };
}

/** Deletes a person's database; the tabs that have it open let go of it. */
export function deleteDatabase(ownerId) {
  return new Promise((resolve, reject) => {
    const deleting = indexedDB.deleteDatabase(databaseName(ownerId));
    deleting.onsuccess = resolve;
    deleting.onerror = () => reject(deleting.error);
  });
}

/**
 * Sends the outbox of one person, from one of the person's tabs at a time: the one written in last.
 *
 * `send(entry)` resolves to the acknowledgement or null. `on` holds the callbacks `sent(message)`, `changed()`,
 * `storageFailed()` for entries that end with the page, and `closed()` when the person has logged out in another tab.
 */
export class Dispatcher {
  #outbox = new Outbox();
  #store = openMemoryStore();
  #gone = new Set(); // clientIds that are settled: what a look into the store still finds of them is old
  #opened;
  #isLeading = false;
  #isConnected = false;
  #isClosed = false;
  #turn; // aborts this tab's place in the queue for the lock
  #timer;
  #unrecorded = []; // steps that are not in the send log yet

  constructor(ownerId, send, on) {
    this.ownerId = ownerId;
    this.send = send;
    this.on = on;
  }

  async open() {
    this.tabs = new BroadcastChannel(`outbox:${this.ownerId}`);
    this.tabs.onmessage = ({ data }) => this.#heard(data);
    this.#opened = this.#load();
    await this.#opened;
    this.on.changed();
    this.#lead();
  }

  async #load() {
    try {
      this.#store = await openBrowserStore(this.ownerId);
      await this.#sync();
    } catch {
      this.on.storageFailed();
    }
  }

  /** Takes over what another tab has kept: it may have been closed before it could tell. */
  async #sync() {
    for (const entry of await this.#store.all()) {
      const isNews = !this.#outbox.get(entry.clientId) && !this.#gone.has(entry.clientId);
      if (isNews) this.#outbox.put({ ...entry, attempts: 0 });
    }
  }

  #drop(clientId) {
    this.#gone.add(clientId);
    this.#outbox.remove(clientId);
  }

  to(receiverId) {
    return this.#outbox.to(receiverId);
  }

  get length() {
    return this.#outbox.length;
  }

  /** Whether there is something to send, and the network to do it. */
  get isSending() {
    return this.#isConnected && this.#outbox.isWaiting;
  }

  /** The person has logged out: nothing is sent or kept any more, in no tab. */
  close() {
    this.#isClosed = true;
    this.tabs.postMessage({ type: 'closed' });
  }

  /** Takes out of the browser what it keeps of the person. Never fails: what was kept nowhere is nowhere. */
  async forget() {
    await this.#opened;
    await deleteDatabase(this.ownerId).catch(() => {});
  }

  /** Returns the entry at once; `kept` resolves when it is in the store, or will never be. */
  add(receiverId, message) {
    const entry = this.#outbox.add({ clientId: newClientId(), receiverId, message }, Date.now());
    this.#record(entry, {});
    return { entry, kept: this.#enqueue(entry) };
  }

  retry(clientId) {
    const entry = this.#outbox.retry(clientId, Date.now());
    if (entry) this.#enqueue(entry);
    this.on.changed();
  }

  remove(clientId) {
    this.#forget(clientId);
    this.tabs.postMessage({ type: 'removed', clientId });
    this.on.changed();
  }

  /** When the connection is back, what waited leaves at once. */
  setConnected(isConnected) {
    this.#isConnected = isConnected;
    if (isConnected) this.#outbox.networkReturned();
    this.#run();
  }

  /** Takes the lead from another tab, which may be asleep. */
  becomeLeader() {
    if (!this.#isLeading) this.#lead({ steal: true });
  }

  async #enqueue(entry) {
    await this.#keep(entry);
    this.becomeLeader();
    this.#run();
  }

  async #keep(entry) {
    await this.#opened;
    if (this.#isClosed) return;
    await this.#store.put(entry).catch(() => this.on.storageFailed());
    // It may have been sent before it was kept: then the others have heard of it.
    if (this.#outbox.get(entry.clientId)) this.tabs.postMessage({ type: 'put', entry });
  }

  #forget(clientId) {
    this.#drop(clientId);
    this.#store.remove(clientId).catch(() => this.on.storageFailed());
  }

  async #heard({ type, entry, message, clientId }) {
    if (type === 'put') {
      await this.#sync().catch(() => {}); // what was written before it goes before it
      if (!this.#gone.has(entry.clientId)) this.#outbox.put(entry);
    }
    if (type === 'removed') this.#drop(clientId);
    if (type === 'closed') {
      this.#isClosed = true;
      return this.on.closed();
    }
    if (type === 'sent') {
      this.#drop(message.clientId);
      this.on.sent(message);
    }
    this.on.changed();
    this.#run();
  }

  #run() {
    clearTimeout(this.#timer);
    if (!this.#isLeading || !this.#isConnected || this.#isClosed) return;
    for (const entry of this.#outbox.take(Date.now())) {
      this.#record(entry, { sent: Date.now() });
      this.#deliver(entry);
    }
    const wait = this.#outbox.nextAt() - Date.now();
    if (wait < Infinity) this.#timer = setTimeout(() => this.#run(), Math.max(0, wait));
  }

  async #deliver(entry) {
    const answer = await this.send(entry);
    const outcome = this.#outbox.settle(entry, answer, Date.now());
    if (outcome === 'sent') {
      this.#record(entry, { acknowledged: Date.now() });
      this.#forget(entry.clientId);
      this.tabs.postMessage({ type: 'sent', message: answer.message });
      this.on.sent(answer.message);
    } else if (outcome === 'failed') {
      await this.#keep(entry);
      this.on.changed();
    }
    this.#run();
  }

  /** Records a step in the send log, whose module is loaded when it is first needed; without a network, later. */
  async #record({ clientId, createdAt }, step) {
    this.#unrecorded.push({ clientId, written: createdAt, ...step });
    if (this.#isClosed) return;
    const sendLog = await import('./send-log.js').catch(() => null);
    await sendLog?.recordSteps(this.#unrecorded.splice(0)).catch(() => {});
  }

  /** Without the Web Locks of https every tab sends: more traffic, the same result. */
  #lead({ steal = false } = {}) {
    this.#turn?.abort();
    const turn = this.#turn = new AbortController();
    const hold = async () => {
      await this.#sync().catch(() => {});
      if (this.#turn !== turn) return null;
      this.#isLeading = true;
      this.#run();
      return new Promise(() => {}); // until the page ends, or another tab takes the lead
    };
    if (!navigator.locks) return void hold();
    navigator.locks.request(`outbox:${this.ownerId}`, steal ? { steal } : { signal: turn.signal }, hold).catch((error) => {
      if (this.#turn !== turn) return;
      this.#isLeading = false;
      if (error.name === 'AbortError') this.#lead();
      else hold();
    });
  }
}
