/**
 * Where the entries of the outbox outlive the page: in IndexedDB, in a database for each person who logs in with this
 * browser, so that nobody sends what another person wrote. The send log (send-log.js) has a store in it too.
 *
 * The files of a message are blobs in a store of their own, by the clientId of each. They are put there in one transaction with
 * their message, and they leave with it: no message is stored without its files, and no file without its message.
 *
 * A browser may refuse storage, fill up, or never answer. So every request has a time limit, and may fail.
 */

const TIMEOUT_MS = 2_000;
const BLOB_TIMEOUT_MS = 60_000; // 250 MB go to the disk
const ENTRIES = 'entries'; // messages
const CHANGES = 'changes'; // apart: a page of an earlier version, which may still be open, reads what it can send
const BLOBS = 'blobs'; // files; key: the clientId of the file
export const SEND_LOG = 'trails'; // its name in the browsers that have one already

const VERSION = 4;

const databaseName = (ownerId) => `outbox:${ownerId}`;
const storeOf = (entry) => (entry.kind === 'change' ? CHANGES : ENTRIES);

/** A store that ends with the page. `amend` and `replace` are one step each, whatever other tabs do. */
export function openMemoryStore() {
  const entries = new Map();
  const blobs = new Map();
  const remove = (clientId) => {
    entries.get(clientId)?.files?.forEach((file) => blobs.delete(file.clientId));
    entries.delete(clientId);
  };
  return {
    all: async () => [...entries.values()],
    /** `files` are the blobs of an entry that are not stored yet, as [clientId of the file, blob]. */
    put: async (entry, files = []) => {
      entries.set(entry.clientId, entry);
      for (const [id, blob] of files) blobs.set(id, blob);
    },
    blob: async (id) => blobs.get(id),
    remove: async (clientId) => remove(clientId),
    /** Changes a message: `change(stored)` returns it as it is to be, null to remove it, undefined to leave it. Resolves to that. */
    amend: async (clientId, change) => {
      const amended = entries.has(clientId) ? change(entries.get(clientId)) : undefined;
      if (amended) entries.set(clientId, amended);
      else if (amended === null) remove(clientId);
      return amended;
    },
    /** Puts entries in place of one. */
    replace: async (clientId, following) => {
      remove(clientId);
      for (const entry of following) entries.set(entry.clientId, entry);
    },
  };
}

/** The same in the person's database. */
export async function openBrowserStore(ownerId) {
  const run = await openDatabase(ownerId);
  const inAll = (action) => run([ENTRIES, CHANGES, BLOBS], 'readwrite', action);
  return {
    async all() {
      let reading;
      const changes = await run([ENTRIES, CHANGES], 'readonly', (messages, stored) => {
        reading = messages.getAll();
        return stored.getAll();
      });
      return [...reading.result, ...changes];
    },
    put: (entry, files = []) => run([storeOf(entry), BLOBS], 'readwrite', (store, blobs) => {
      for (const [id, blob] of files) blobs.put(blob, id);
      return store.put(entry);
    }, files.length ? BLOB_TIMEOUT_MS : TIMEOUT_MS),
    blob: (id) => run([BLOBS], 'readonly', (blobs) => blobs.get(id)),
    remove: (clientId) => inAll((...stores) => remove(clientId, ...stores)),
    async amend(clientId, change) {
      let amended;
      await inAll((messages, changes, blobs) => {
        const reading = messages.get(clientId);
        reading.onsuccess = () => {
          amended = reading.result && change(reading.result);
          if (amended) messages.put(amended);
          else if (amended === null) remove(clientId, messages, changes, blobs);
        };
        return reading;
      });
      return amended;
    },
    replace: (clientId, following) => inAll((messages, changes, blobs) => {
      for (const entry of following) (storeOf(entry) === CHANGES ? changes : messages).put(entry);
      return remove(clientId, messages, changes, blobs);
    }),
  };
}

/** Removes a change, or a message with its files. */
function remove(clientId, messages, changes, blobs) {
  const reading = messages.get(clientId);
  reading.onsuccess = () => reading.result?.files?.forEach((file) => blobs.delete(file.clientId));
  messages.delete(clientId);
  return changes.delete(clientId);
}

/**
 * Resolves to `run(storeNames, mode, action, limitMs)`: a transaction, which resolves to the result of the request that
 * `action(...stores)` returns.
 */
export async function openDatabase(ownerId) {
  const database = await connect(ownerId);
  let isUnresponsive = false; // after a timeout requests are still made, but no longer waited for
  return async (storeNames, mode, action, limitMs = TIMEOUT_MS) => {
    const result = new Promise((resolve, reject) => {
      const transaction = database.transaction(storeNames, mode);
      const request = action(...storeNames.map((name) => transaction.objectStore(name)));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error);
    });
    result.then(() => { isUnresponsive = false; }, () => {}); // a late answer, as after a sleep of the machine
    return withTimeout(result, isUnresponsive ? 0 : limitMs, () => { isUnresponsive = true; });
  };
}

async function connect(ownerId) {
  const opening = indexedDB.open(databaseName(ownerId), VERSION);
  opening.onupgradeneeded = ({ oldVersion }) => {
    if (oldVersion < 1) opening.result.createObjectStore(ENTRIES, { keyPath: 'clientId' });
    if (oldVersion < 2) opening.result.createObjectStore(SEND_LOG, { keyPath: 'clientId' }).createIndex('written', 'written');
    if (oldVersion < 3) opening.result.createObjectStore(CHANGES, { keyPath: 'clientId' });
    if (oldVersion < 4) opening.result.createObjectStore(BLOBS);
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
