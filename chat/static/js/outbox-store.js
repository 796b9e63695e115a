/**
 * Where the entries of the outbox outlive the page: in IndexedDB, in a database for each person who logs in with this
 * browser, so that nobody sends what another person wrote. The send log (send-log.js) has a store in it too.
 *
 * A browser may refuse storage, fill up, or never answer. So every request has a time limit, and may fail.
 */

const TIMEOUT_MS = 2_000;
const ENTRIES = 'entries'; // messages
const CHANGES = 'changes'; // apart: a page of an earlier version, which may still be open, reads what it can send
export const SEND_LOG = 'trails'; // its name in the browsers that have one already

const databaseName = (ownerId) => `outbox:${ownerId}`;
const storeOf = (entry) => (entry.kind === 'change' ? CHANGES : ENTRIES);

/** A store that ends with the page. `amend` and `replace` are one step each, whatever other tabs do. */
export function openMemoryStore() {
  const entries = new Map();
  return {
    all: async () => [...entries.values()],
    put: async (entry) => void entries.set(entry.clientId, entry),
    remove: async (clientId) => void entries.delete(clientId),
    /** Changes a message: `change(stored)` returns it as it is to be, null to remove it, undefined to leave it. Resolves to that. */
    amend: async (clientId, change) => {
      const amended = entries.has(clientId) ? change(entries.get(clientId)) : undefined;
      if (amended) entries.set(clientId, amended);
      else if (amended === null) entries.delete(clientId);
      return amended;
    },
    /** Puts entries in place of one. */
    replace: async (clientId, following) => {
      entries.delete(clientId);
      for (const entry of following) entries.set(entry.clientId, entry);
    },
  };
}

/** The same in the person's database. */
export async function openBrowserStore(ownerId) {
  const run = await openDatabase(ownerId);
  const inBoth = (mode, action) => run([ENTRIES, CHANGES], mode, action);
  const remove = (clientId, messages, changes) => {
    messages.delete(clientId);
    return changes.delete(clientId);
  };
  return {
    async all() {
      let reading;
      const changes = await inBoth('readonly', (messages, stored) => {
        reading = messages.getAll();
        return stored.getAll();
      });
      return [...reading.result, ...changes];
    },
    put: (entry) => run([storeOf(entry)], 'readwrite', (store) => store.put(entry)),
    remove: (clientId) => inBoth('readwrite', (...stores) => remove(clientId, ...stores)),
    async amend(clientId, change) {
      let amended;
      await run([ENTRIES], 'readwrite', (store) => {
        const reading = store.get(clientId);
        reading.onsuccess = () => {
          amended = reading.result && change(reading.result);
          if (amended) store.put(amended);
          else if (amended === null) store.delete(clientId);
        };
        return reading;
      });
      return amended;
    },
    replace: (clientId, following) => inBoth('readwrite', (messages, changes) => {
      for (const entry of following) (storeOf(entry) === CHANGES ? changes : messages).put(entry);
      return remove(clientId, messages, changes);
    }),
  };
}

/** Resolves to `run(storeNames, mode, action)`: a transaction, which resolves to the result of the request that `action(...stores)` returns. */
export async function openDatabase(ownerId) {
  const database = await connect(ownerId);
  let isUnresponsive = false; // after a timeout requests are still made, but no longer waited for
  return async (storeNames, mode, action) => {
    const result = new Promise((resolve, reject) => {
      const transaction = database.transaction(storeNames, mode);
      const request = action(...storeNames.map((name) => transaction.objectStore(name)));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error);
    });
    result.then(() => { isUnresponsive = false; }, () => {}); // a late answer, as after a sleep of the machine
    return withTimeout(result, isUnresponsive ? 0 : TIMEOUT_MS, () => { isUnresponsive = true; });
  };
}

async function connect(ownerId) {
  const opening = indexedDB.open(databaseName(ownerId), 3);
  opening.onupgradeneeded = ({ oldVersion }) => {
    if (oldVersion < 1) opening.result.createObjectStore(ENTRIES, { keyPath: 'clientId' });
    if (oldVersion < 2) opening.result.createObjectStore(SEND_LOG, { keyPath: 'clientId' }).createIndex('written', 'written');
    opening.result.createObjectStore(CHANGES, { keyPath: 'clientId' });
  };
  const opened = new Promise((resolve, reject) => {
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = opening.onblocked = () => reject(opening.error);
  });
  const database = await withTimeout(opened, TIMEOUT_MS, () => { opening.onsuccess = () => opening.result.close(); });
  database.onversionchange = () => database.close(); // lets another tab upgrade or delete the database
  return database;
}

/** Settles as `promise` does; if that takes longer than `limitMs`, calls `onTimeout` and rejects. */
function withTimeout(promise, limitMs, onTimeout) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      onTimeout();
      reject(new Error('no answer'));
    }, limitMs);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** Deletes a person's database. The tabs that have it open close it. */
export function deleteDatabase(ownerId) {
  return new Promise((resolve, reject) => {
    const deleting = indexedDB.deleteDatabase(databaseName(ownerId));
    deleting.onsuccess = resolve;
    deleting.onerror = () => reject(deleting.error);
  });
}
