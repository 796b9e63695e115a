import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const FOLDER = new URL('../../chat/static/js/', import.meta.url);
const IMPORT = /(?:from |import\()'\.\/([\w-]+\.js)'/g; // what is loaded later counts too

/** The modules that a source imports. */
const importsOf = (source) => [...source.matchAll(IMPORT)].map(([, name]) => name);

/** Follows the imports from each module; returns the first circle as a list of names, or null. */
function findCircle(graph) {
  const done = new Set();
  const visit = (name, path) => {
    if (path.includes(name)) return [...path.slice(path.indexOf(name)), name];
    if (done.has(name)) return null;
    for (const next of graph[name] ?? []) {
      const circle = visit(next, [...path, name]);
      if (circle) return circle;
    }
    done.add(name);
    return null;
  };
  for (const name of Object.keys(graph)) {
    const circle = visit(name, []);
    if (circle) return circle;
  }
  return null;
}

test('it works', () => {
  const source = "import { a } from './a.js';\nconst b = import('./b-c.js');\nimport { io } from '../d.js';";
  assert.deepEqual(importsOf(source), ['a.js', 'b-c.js']);
  assert.equal(findCircle({ a: ['b', 'c'], b: ['c'], c: [] }), null);
  assert.deepEqual(findCircle({ a: ['b'], b: ['c'], c: ['d', 'b'], d: [] }), ['b', 'c', 'b']);
});

test('no module imports itself by way of others', () => {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith('.js'));
  const graph = Object.fromEntries(names.map((name) => [name, importsOf(readFileSync(new URL(name, FOLDER), 'utf8'))]));
  assert.ok(graph['app.js'].length > 1);
  const circle = findCircle(graph);
  assert.equal(circle, null, circle?.join(' -> '));
});
