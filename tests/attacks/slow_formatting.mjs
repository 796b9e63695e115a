// Reads JSON, [[start, again, end], …], and prints for each [ms of the processor for TIMES texts of SHORT characters, ms for one that is TIMES as long].

import { readFileSync } from 'node:fs';

import { treeOf } from '../../chat/static/js/formatting.js';

const SHORT = 4_000; // characters, of a text as long as a message may be
const TIMES = 16;
const ROUNDS = 3; // the fastest one counts: the first ones are compiled

const of = ([start, again, end], length) => start + again.repeat((length - start.length - end.length) / again.length) + end;

function time(text, times) {
  const began = process.cpuUsage();
  for (let n = 0; n < times; n++) treeOf(text);
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1000;
}

function fastest(kind) {
  const [short, long] = [of(kind, SHORT), of(kind, SHORT * TIMES)];
  const rounds = Array.from({ length: ROUNDS }, () => [time(short, TIMES), time(long, 1)]);
  return [0, 1].map((which) => Math.min(...rounds.map((times) => times[which])));
}

console.log(JSON.stringify(JSON.parse(readFileSync(0, 'utf8')).map(fastest)));
