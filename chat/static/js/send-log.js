/**
 * The send log: when a message was written, sent and acknowledged. Only the browser it was written in knows that, for the
 * details of the message (details.js).
 */

import { SEND_LOG, openDatabase } from './outbox-store.js';
import { me } from './page.js';

const MAX_RECORDS = 1_000;

const inMemory = new Map(); // where the browser has no storage, a record lives as long as its page
const opened = openDatabase(me.id).catch(() => null);

/**
 * Adds steps `{clientId, written, sent?, acknowledged?}`, in ms, to the records `{clientId, written, sent, tries,
 * acknowledged}`. A time that is recorded already stays; every sending counts as a try.
 */
export async function recordSteps(steps) {
  const run = await opened;
  for (const step of steps) {
    if (run) await run([SEND_LOG], 'readwrite', (store) => add(store, step));
    else inMemory.set(step.clientId, mergeStep(inMemory.get(step.clientId), step));
  }
}

/** The record of a message; undefined if there is none, and null where the browser's storage does not say. */
export async function findRecord(clientId) {
  const run = await opened;
  return run ? run([SEND_LOG], 'readonly', (store) => store.get(clientId)).catch(() => null) : inMemory.get(clientId);
}

export function mergeStep(record, step) {
  return { ...step, ...record, tries: (record?.tries ?? 0) + (step.sent ? 1 : 0) };
}

function add(store, step) {
  const reading = store.get(step.clientId);
  reading.onsuccess = () => {
    store.put(mergeStep(reading.result, step));
    if (!reading.result) deleteOldest(store);
  };
  return reading;
}

function deleteOldest(store) {
  const counting = store.count();
  counting.onsuccess = () => {
    const excess = counting.result - MAX_RECORDS;
    if (excess <= 0) return;
    const oldest = store.index('written').getAllKeys(null, excess);
    oldest.onsuccess = () => oldest.result.forEach((clientId) => store.delete(clientId));
  };
}
