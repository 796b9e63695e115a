/** IndexedDB as far as outbox-store.js asks for it: stores with or without a key path, transactions that are carried out in order. */

/** Calls what waits for a request or a transaction when all scripts of this moment have run, as a browser does. */
const soon = (action) => setImmediate(action);

class Store {
  constructor(records, keyPath, transaction) {
    Object.assign(this, { records, keyPath, transaction });
  }

  get(key) { return this.transaction.request(() => copy(this.records.get(key))); }

  getAll() { return this.transaction.request(() => [...this.records.values()].map(copy)); }

  put(value, key = value[this.keyPath]) {
    return this.transaction.request(() => {
      if (value instanceof Blob && value.size > this.transaction.database.maxBlobBytes) return this.transaction.abort(new Error('QuotaExceededError'));
      this.records.set(key, copy(value));
      return key;
    });
  }

  delete(key) { return this.transaction.request(() => void this.records.delete(key)); }

  count() { return this.transaction.request(() => this.records.size); }

  createIndex() {}
}

const copy = (value) => (value instanceof Blob ? value : structuredClone(value));

class Transaction {
  pending = 0;

  constructor(database) {
    this.database = database;
    this.before = new Map([...database.stores].map(([name, { records }]) => [name, new Map(records)]));
    soon(() => this.look());
  }

  objectStore(name) {
    const { records, keyPath } = this.database.stores.get(name);
    return new Store(records, keyPath, this);
  }

  request(action) {
    const request = {};
    this.pending += 1;
    soon(() => {
      if (!this.error) request.result = action();
      if (!this.error) request.onsuccess?.();
      this.pending -= 1;
      this.look();
    });
    return request;
  }

  abort(error) {
    this.error = error;
    for (const [name, records] of this.before) this.database.stores.get(name).records = records;
  }

  look() {
    if (this.pending || this.isOver) return;
    this.isOver = true;
    soon(() => (this.error ? this.onabort?.() : this.oncomplete?.()));
  }
}

const databases = new Map(); // name → {version, stores}; it outlives the page

/** The database of that name, as a test looks into it. */
export const databaseOf = (name) => databases.get(name);

export const fakeIndexedDb = {
  open(name, version) {
    const request = {};
    soon(() => {
      if (!databases.has(name)) databases.set(name, { version: 0, stores: new Map(), maxBlobBytes: Infinity });
      const database = databases.get(name);
      request.result = {
        transaction: () => new Transaction(database), close() {},
        createObjectStore: (store, { keyPath } = {}) => {
          database.stores.set(store, { records: new Map(), keyPath });
          return new Store(new Map(), keyPath);
        },
      };
      const oldVersion = database.version;
      database.version = version;
      if (oldVersion < version) request.onupgradeneeded({ oldVersion });
      request.onsuccess();
    });
    return request;
  },

  deleteDatabase(name) {
    const request = {};
    soon(() => {
      databases.delete(name);
      request.onsuccess();
    });
    return request;
  },
};
