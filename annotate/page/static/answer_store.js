// Answers on the browser's own disk, until the server has said that it has them.

const DATABASE = "icf-annotate";
const ANSWERS = "answers";
const REFUSED = "refused";

function finished(request) {
  return new Promise((done, fail) => {
    request.onsuccess = () => done(request.result);
    request.onerror = () => fail(request.error);
  });
}

function completed(transaction) {
  return new Promise((done, fail) => {
    transaction.oncomplete = () => done();
    transaction.onerror = () => fail(transaction.error);
    transaction.onabort = () => fail(transaction.error);
  });
}

/** A table in IndexedDB. */
class Disk {
  #opening = null;

  #open() {
    this.#opening ??= new Promise((done, fail) => {
      const request = indexedDB.open(DATABASE, 1);
      request.onupgradeneeded = () => {
        const made = request.result;
        // In the order in which they were given.
        const answers = made.createObjectStore(ANSWERS, { autoIncrement: true });
        answers.createIndex("client_id", "client_id", { unique: true });
        made.createObjectStore(REFUSED, { keyPath: "client_id" });
      };
      request.onsuccess = () => {
        const database = request.result;
        // Another tab has a newer version of this page.
        database.onversionchange = () => database.close();
        done(database);
      };
      request.onerror = () => fail(request.error);
    }).catch((error) => {
      this.#opening = null;
      throw error;
    });
    return this.#opening;
  }

  async #begin(stores, mode, isFirst = true) {
    const opening = this.#open();
    const database = await opening;
    try {
      // "strict": the promise is kept when it is on the disk, not when it is in a cache.
      return database.transaction(stores, mode, { durability: "strict" });
    } catch (error) {
      // Browsers close what a page has open, such as one that was away for long.
      if (!isFirst || error.name !== "InvalidStateError") throw error;
      if (this.#opening === opening) this.#opening = null;
      return this.#begin(stores, mode, false);
    }
  }

  async #write(stores, work) {
    const transaction = await this.#begin(stores, "readwrite");
    const done = completed(transaction);
    work(transaction);
    await done;
  }

  async add(entries) {
    await this.#write([ANSWERS], (transaction) => {
      for (const entry of entries) transaction.objectStore(ANSWERS).add(entry);
    });
  }

  async all() {
    const transaction = await this.#begin([ANSWERS], "readonly");
    return finished(transaction.objectStore(ANSWERS).getAll(null, 10000));
  }

  async refused() {
    const transaction = await this.#begin([REFUSED], "readonly");
    return finished(transaction.objectStore(REFUSED).getAll());
  }

  /** Remove what the server has, and keep why it refused others. */
  async settle(stored, refused) {
    await this.#write([ANSWERS, REFUSED], (transaction) => {
      const answers = transaction.objectStore(ANSWERS);
      const index = answers.index("client_id");
      for (const client_id of [...stored, ...refused.map((one) => one.client_id)]) {
        index.getKey(client_id).onsuccess = (event) => {
          const key = event.target.result;
          if (key !== undefined) answers.delete(key);
        };
      }
      for (const one of refused) transaction.objectStore(REFUSED).put(one);
    });
  }

  async forgetRefused() {
    await this.#write([REFUSED], (transaction) => {
      transaction.objectStore(REFUSED).clear();
    });
  }
}

/** The same where the browser has no disk for us: gone when the page is closed. */
class Memory {
  #answers = [];
  #refused = [];

  async add(entries) {
    this.#answers.push(...entries);
  }

  async all() {
    return [...this.#answers];
  }

  async refused() {
    return [...this.#refused];
  }

  async settle(stored, refused) {
    const gone = new Set([...stored, ...refused.map((one) => one.client_id)]);
    this.#answers = this.#answers.filter((one) => !gone.has(one.client_id));
    this.#refused.push(...refused);
  }

  async forgetRefused() {
    this.#refused = [];
  }
}

/**
 * Open the store of answers.
 *
 * @returns {Promise<{store: object, durable: boolean}>} durable: it survives the page
 */
export async function openStore() {
  const disk = new Disk();
  try {
    await disk.all();
    return { store: disk, durable: true };
  } catch {
    return { store: new Memory(), durable: false };
  }
}
