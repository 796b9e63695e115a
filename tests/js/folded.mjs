/** Reads names as JSON, and writes them as folding.js folds them. */

import { readFileSync } from 'node:fs';

import { folded } from '../../chat/static/js/folding.js';

const names = JSON.parse(readFileSync(0, 'utf8'));
process.stdout.write(JSON.stringify(names.map(folded)));
