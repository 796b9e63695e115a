/** How the time of a work grows with its text: for a text of SHORT characters, and for one that is TIMES as long. */

const SHORT = 4_000; // characters, of a text as long as a message may be
const TIMES = 16;

const of = ([start, again, end = ''], length) => start + again.repeat((length - start.length - end.length) / again.length) + end;

function time(work, text, times) {
  const began = process.cpuUsage();
  for (let n = 0; n < times; n++) work(text);
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1000;
}

/**
 * Returns [ms of the processor for TIMES short texts, ms for one long text] of a `kind`, [start, again, end]. The fastest of some
 * rounds counts: in the first ones the code is compiled.
 */
export function growth(work, kind, rounds) {
  const [short, long] = [of(kind, SHORT), of(kind, SHORT * TIMES)];
  const times = Array.from({ length: rounds }, () => [time(work, short, TIMES), time(work, long, 1)]);
  return [0, 1].map((which) => Math.min(...times.map((both) => both[which])));
}
