/** What this browser keeps of a person's emoji: the skin tone, and what was used last. */

import { me } from './page.js';

const MAX_RECENT = 18; // two rows of the picker

const keyOf = (name) => `emoji-${name}:${me.id}`;

export const chosenTone = () => Number(stored('tone')) || 0;
export const chooseTone = (tone) => store('tone', tone);

/** The emoji that were used last, the newest first, in no skin tone. */
export const usedEmoji = () => (stored('recent') ?? '').split(' ').filter(Boolean);

/** An emoji was used. */
export function useEmoji(emoji) {
  store('recent', [emoji, ...usedEmoji().filter((other) => other !== emoji)].slice(0, MAX_RECENT).join(' '));
}

function stored(name) {
  try {
    return localStorage.getItem(keyOf(name));
  } catch {
    return null; // the storage is closed
  }
}

function store(name, value) {
  try {
    localStorage.setItem(keyOf(name), value);
  } catch {
    // the storage is closed or full: it is chosen anew the next time
  }
}
