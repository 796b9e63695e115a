// Acts at due times: a timer alone fires late, and would be late by more each time.
const LONGEST_PAUSE_MS = 20;

// Act again and again, `gap()` milliseconds after the time before was due; returns how to stop it.
export function keepPace(gap, act) {
  let due = performance.now(), timer;
  const tick = () => {
    const now = performance.now();
    while (due <= now) {
      act();
      due += gap();
    }
    timer = setTimeout(tick, Math.min(due - performance.now(), LONGEST_PAUSE_MS));
  };
  tick();
  return () => clearTimeout(timer);
}
