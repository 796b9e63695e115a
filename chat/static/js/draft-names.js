/** The names by which the browser's storage has the drafts (draft.js) of this person, all of them. */

import { me } from './page.js';

const PREFIX = `draft:${me.id}:`;

/** None where the storage is closed: there is no draft then. */
export function draftNames() {
  try {
    return Object.keys(localStorage).filter((name) => name.startsWith(PREFIX));
  } catch {
    return [];
  }
}

/** The key (address.js) of the conversation of a draft. */
export function keyOfDraft(name) {
  const key = name.slice(PREFIX.length);
  return Number(key) || key;
}
