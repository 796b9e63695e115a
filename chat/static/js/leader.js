/**
 * Leader election among the tabs of one person: the leader alone does for all of them what `onLeading` begins.
 *
 * The leader holds a lock of the browser (Web Locks) until its page ends or another tab steals the lock. Browsers offer
 * locks over https only. Without them every tab leads: more traffic, but nothing is stored twice.
 */
export class Leader {
  isLeading = false;
  #candidacy; // its abort takes this tab out of the queue for the lock
  #release; // gives the lock back

  /**
   * `prepare()` is awaited before this tab leads; `onLeading()` is called when it does, and `onLost()` when another tab
   * has stolen the lock.
   */
  constructor(lockName, { prepare, onLeading, onLost }) {
    Object.assign(this, { lockName, prepare, onLeading, onLost });
  }

  /** Leads as soon as no other tab does. */
  queue() {
    this.#requestLock({});
  }

  /** Leads at once. The tab that leads now may be asleep: the lock is stolen from it. */
  becomeLeader() {
    if (!this.isLeading) this.#requestLock({ steal: true });
  }

  /** Leads no longer, and is no candidate. */
  resign() {
    this.#candidacy?.abort();
    this.#candidacy = null;
    this.isLeading = false;
    this.#release?.();
  }

  #requestLock({ steal = false }) {
    this.#candidacy?.abort();
    const candidacy = this.#candidacy = new AbortController();
    const lead = async () => {
      await this.prepare?.();
      if (this.#candidacy !== candidacy) return null; // a newer request has taken its place
      this.isLeading = true;
      this.onLeading();
      return new Promise((resolve) => { this.#release = resolve; }); // the lock is held until this settles
    };
    if (!navigator.locks) return void lead();
    navigator.locks.request(this.lockName, steal ? { steal } : { signal: candidacy.signal }, lead).catch((error) => {
      if (this.#candidacy !== candidacy) return;
      this.isLeading = false;
      if (error.name !== 'AbortError') return void lead(); // this browser refuses locks
      this.queue(); // another tab has stolen the lock
      this.onLost?.();
    });
  }
}
