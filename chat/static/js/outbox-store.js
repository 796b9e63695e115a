/**
 * Where the entries of the outbox outlive the page: in IndexedDB, in a database for each person who logs in with this
 * browser, so that nobody sends what another person wrote. The send log (send-log.js) has a store in it too.
 *
 * A browser may refuse storage, fill up, or never answer. So every request has a time limit, and may fail.
 */

const TIMEOUT_MS = 2_000;
const ENTRIES = 'entries';
export const SEND_LOG = 'trails'; // its name in the browsers that have one already

const databaseName = (ownerId) => `outbox:${ownerId}`;

/** A store that ends with the page: `all()`, `put(entry)`, `remove(clientId)`. */
export function openMemoryStore() {
  const entries = new Map();
  return {
    all: async () => [...entries.values()],
    put: async (entry) => void entries.set(entry.clientId, entry),
    remove: async (clientId) => void entries.delete(clientId),
  };
}

/** The same in the person's database. */
export async function openBrowserStore(ownerId) {
  const run = await openDatabase(ownerId);
  return {
    all: () => run(ENTRIES, 'readonly', (store) => store.getAll()),
    put: (entry) => run(ENTRIES, 'readwrite', (store) => store.put(entry)),
    remove: (clientId) => run(ENTRIES, 'readwrite', (store) => store.delete(clientId)),
  };
}

/** Resolves to `run(storeName, mode, action)`: a transaction, which resolves to the result of the request that `action` returns. */
export async function openDatabase(ownerId) {
  const database = await connect(ownerId);
  let isUnresponsive = false; // after a timeout requests are still made, but no longer waited for
  return async (storeName, mode, action) => {
    const result = new Promise((resolve, reject) => {
      const transaction = database.transaction(storeName, mode);
      const request = action(transaction.objectStore(storeName));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error);
    });
    result.then(() => { isUnresponsive = false; }, () => {}); // a late answer, as after a sleep of the machine
    return withTimeout(result, isUnresponsive ? 0 : TIMEOUT_MS, () => { isUnresponsive = true; });
  };
}

async function connect(ownerId) {
  const opening = indexedDB.open(databaseName(ownerId), 2);
  opening.onupgradeneeded = ({ oldVersion }) => {
    if (oldVersion < 1) opening.result.createObjectStore(ENTRIES, { keyPath: 'clientId' });
    opening.result.createObjectStore(SEND_LOG, { keyPath: 'clientId' }).createIndex('written', 'written');
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
