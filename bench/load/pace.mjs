// Runs a function at due times. A timer alone fires late, and its delays would add up.
const MAX_PAUSE_MS = 20;

// Call `act` again and again, each time `interval()` milliseconds after the previous due time. Returns a function that stops it.
export function repeatAtRate(interval, act) {
  let due = performance.now(), timer;
  const tick = () => {
    const now = performance.now();
    while (due <= now) {
      act();
      due += interval();
    }
    timer = setTimeout(tick, Math.min(due - performance.now(), MAX_PAUSE_MS));
  };
  tick();
  return () => clearTimeout(timer);
}
