/** The newest versions of messages of all conversations, and who is told of them. */

import { keyOfMessage } from './address.js';
import { Versions } from './changes.js';
import { me } from './page.js';

const MAX_VERSIONS = 1_000; // what has changed before has come by now

const versions = new Versions(MAX_VERSIONS);
const listeners = [];

const idOf = (message) => `${keyOfMessage(message, me.id)}/${message.seq}`;

/** Calls `listener(message)` with each version that is newer than what was known. */
export const onVersion = (listener) => void listeners.push(listener);

/** Takes a message as it has become. */
export function remember(message) {
  if (versions.remember(idOf(message), message)) listeners.forEach((listener) => listener(message));
}

/** The message as it is known by now. */
export const newest = (message) => versions.newest(idOf(message), message);

/** What has become of the message of that number in the conversation `key`, if it has changed lately. */
export const versionOf = (key, seq) => versions.get(`${key}/${seq}`);
