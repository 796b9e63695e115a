// Reads JSON, [[start, again, end], …], and prints the growth (growth.mjs) of reading each as formatted text.

import { readFileSync } from 'node:fs';

import { treeOf } from '../../chat/static/js/formatting.js';
import { growth } from './growth.mjs';

const ROUNDS = 3;

console.log(JSON.stringify(JSON.parse(readFileSync(0, 'utf8')).map((kind) => growth(treeOf, kind, ROUNDS))));
