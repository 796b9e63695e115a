/** Prints `{name: growth}` (growth.mjs) of the search for addresses. */

import { addressesIn } from '../../chat/static/js/links.js';
import { growth } from './growth.mjs';

const ROUNDS = 7;

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

console.log(JSON.stringify(Object.fromEntries(Object.entries(kinds).map(([name, kind]) => [name, growth(addressesIn, kind, ROUNDS)]))));
