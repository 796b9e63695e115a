/**
 * Leader election among the tabs of one person: the leader alone sends what they have written.
 *
 * The leader holds a lock of the browser (Web Locks) until its page ends or another tab steals the lock. Browsers offer
 * locks over https only. Without them every tab leads: more traffic, but nothing is stored twice.
 */
export class Leader {
  isLeading = false;
  #candidacy; // its abort takes this tab out of the queue for the lock

  /** `prepare()` is awaited before this tab leads; `onLeading()` is called when it does. */
  constructor(lockName, { prepare, onLeading }) {
    Object.assign(this, { lockName, prepare, onLeading });
  }

  /** Leads as soon as no other tab does. */
  queue() {
    this.#requestLock({});
  }

  /** Leads at once. The tab that leads now may be asleep: the lock is stolen from it. */
  becomeLeader() {
    if (!this.isLeading) this.#requestLock({ steal: true });
  }

  #requestLock({ steal = false }) {
    this.#candidacy?.abort();
    const candidacy = this.#candidacy = new AbortController();
    const lead = async () => {
      await this.prepare();
      if (this.#candidacy !== candidacy) return null; // a newer request has taken its place
      this.isLeading = true;
      this.onLeading();
      return new Promise(() => {}); // the lock is held until this settles: never
    };
    if (!navigator.locks) return void lead();
    navigator.locks.request(this.lockName, steal ? { steal } : { signal: candidacy.signal }, lead).catch((error) => {
      if (this.#candidacy !== candidacy) return;
      this.isLeading = false;
      if (error.name === 'AbortError') this.queue(); // another tab has stolen the lock
      else lead(); // this browser refuses locks
    });
  }
}
