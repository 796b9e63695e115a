// Reads JSON, [[text, mentions], …], and prints what formatting.js makes of each: [[tree, plain text], …].

import { readFileSync } from 'node:fs';

import { plainOf, treeOf } from '../../chat/static/js/formatting.js';

const toMention = ([id, start, length]) => ({ id, start, length });
const texts = JSON.parse(readFileSync(0, 'utf8'));
const trees = texts.map(([text, mentions]) => treeOf(text, mentions.map(toMention)));
console.log(JSON.stringify(trees.map((tree) => [tree, plainOf(tree)])));
