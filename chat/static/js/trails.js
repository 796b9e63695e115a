/** The trails of messages: what only the browser they were written in knows of their way. */

import { openDatabase } from './outbox.js';
import { me } from './page.js';

const MOST_TRAILS = 1_000;

const known = new Map(); // where the browser keeps nothing, a trail lives as long as its page
const opened = openDatabase(me.id).catch(() => null);

/**
 * Adds steps `{clientId, written, sent?, acknowledged?}`, in ms, to the trails `{clientId, written, sent, tries,
 * acknowledged}`. What was first stays, and every sending counts.
 */
export async function keep(steps) {
  const run = await opened;
  for (const step of steps) {
    if (run) await run('trails', 'readwrite', (trails) => add(trails, step));
    else known.set(step.clientId, joined(known.get(step.clientId), step));
  }
}

/** The trail of a message, or undefined. */
export async function trailOf(clientId) {
  const run = await opened;
  return run ? run('trails', 'readonly', (trails) => trails.get(clientId)) : known.get(clientId);
}

export function joined(trail, step) {
  return { ...step, ...trail, tries: (trail?.tries ?? 0) + (step.sent ? 1 : 0) };
}

function add(trails, step) {
  const asked = trails.get(step.clientId);
  asked.onsuccess = () => {
    trails.put(joined(asked.result, step));
    if (!asked.result) forgetOldest(trails);
  };
  return asked;
}

function forgetOldest(trails) {
  const counted = trails.count();
  counted.onsuccess = () => {
    const tooMany = counted.result - MOST_TRAILS;
    if (tooMany <= 0) return;
    const oldest = trails.index('written').getAllKeys(null, tooMany);
    oldest.onsuccess = () => oldest.result.forEach((clientId) => trails.delete(clientId));
  };
}
