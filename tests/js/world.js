/** A world of virtual time, and a network in it that loses, delays, repeats and reorders. Everything follows from one seed. */

/** mulberry32: the same numbers between 0 and 1 for the same seed. */
export function generator(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export class World {
  now = 0;
  events = [];
  isCalm = false;

  constructor(seed) {
    this.random = generator(seed);
    this.lossRate = this.random() * 0.5;
    this.repeatRate = this.random() * 0.3;
  }

  after(delay, action) {
    this.events.push({ at: this.now + delay, action });
  }

  runUntil(end) {
    for (;;) {
      let next = -1;
      for (let index = 0; index < this.events.length; index += 1) {
        if (this.events[index].at <= end && (next < 0 || this.events[index].at < this.events[next].at)) next = index;
      }
      if (next < 0) break;
      const [{ at, action }] = this.events.splice(next, 1);
      this.now = at;
      action();
    }
    this.now = end;
  }

  chance(rate) {
    return this.random() < rate;
  }

  /** Brings something to the other side: perhaps never, perhaps twice, perhaps after what follows it. */
  carry(action) {
    if (!this.isCalm && this.chance(this.lossRate)) return;
    const copies = !this.isCalm && this.chance(this.repeatRate) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      const isSlow = !this.isCalm && this.chance(0.1);
      this.after(this.random() * (isSlow ? 8_000 : 100), action);
    }
  }
}
