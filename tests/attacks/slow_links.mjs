/** Prints `{name: [ms of the processor for TIMES texts of SHORT characters, ms for one that is TIMES as long]}`: the search for addresses. */

import { addressesIn } from '../../chat/static/js/links.js';

const SHORT = 4_000; // characters, of a text as long as a message may be
const TIMES = 16;
const ROUNDS = 7; // the fastest one counts: the first ones are compiled

const kinds = {
  closing: ['http://a', ')'],
  'closing of all kinds': ['http://a', ')]}」”»'],
  opening: ['http://a', '(['],
  pairs: ['http://a', '()[]'],
  points: ['http://a', '.,;'],
  'points with an end': ['http://a', '.…!', 'x'],
  quotes: ['http://a', '\'"'],
  addresses: ['', 'http://a '],
  'addresses that hang together': ['', 'http://a('],
  'addresses with points': ['', 'http://a... '],
  'what is no address': ['', 'http://%'],
  'hosts without end': ['http://', 'é'],
  'hosts of accents': ['', `http://a${'\u0315\u0300'.repeat(100)} `],
  accents: ['http://a/', '\u0315\u0300'],
  'dot segments': ['http://a/', 'b/../'],
  'halves of pairs': ['http://a/', '\ud83d'],
  directions: ['http://a/', '\u202e'],
};

const of = ([start, again, end = ''], length) => start + again.repeat((length - start.length) / again.length) + end;

function time(text, times) {
  const began = process.cpuUsage();
  for (let n = 0; n < times; n++) addressesIn(text);
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1000;
}

function fastest(kind) {
  const [short, long] = [of(kind, SHORT), of(kind, SHORT * TIMES)];
  const rounds = Array.from({ length: ROUNDS }, () => [time(short, TIMES), time(long, 1)]);
  return [0, 1].map((which) => Math.min(...rounds.map((times) => times[which])));
}

console.log(JSON.stringify(Object.fromEntries(Object.entries(kinds).map(([name, kind]) => [name, fastest(kind)]))));
