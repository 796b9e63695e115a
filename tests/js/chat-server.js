/** The server of the simulated chat: numbered messages and numbered changes, each clientId once. */

import { keyOf } from '../../chat/static/js/address.js';

export const ADDRESSES = [{ receiverId: 2 }, { receiverId: 3 }, { conversationId: 2 }, { conversationId: 3 }]; // rooms may have a person's number
export const KEYS = ADDRESSES.map(keyOf);
export const [FRIEND, , ROOM, LEFT_ROOM] = KEYS;

const refusal = (code, fields) => ({ ok: false, error: { code, message: 'No', retry: false }, ...fields });

/** Refuses what is called "bad", who is no member of a room, and an edit of a text that its writer has not seen. */
export class Server {
  logs = new Map(KEYS.map((key) => [key, []])); // key → messages
  changes = new Map(KEYS.map((key) => [key, []])); // key → [{number, seq, clientId}]
  taken = []; // clientIds of messages and changes, in the order in which they were stored
  isMember = true; // of the room that the sender may be removed from

  constructor(world) {
    this.world = world;
    this.onStored = () => {};
    this.onChanged = () => {};
  }

  /** Takes an entry of an outbox. */
  store(entry) {
    if (!this.world.isCalm && this.world.chance(0.1)) return { ok: false, error: { code: 'unavailable', retry: true } };
    const key = keyOf(entry);
    return entry.kind === 'change' ? this.change(key, entry) : this.#send(key, entry);
  }

  #send(key, { clientId, message, replyTo }) {
    if (message === 'bad') return refusal('invalid');
    const known = this.logs.get(key).find((row) => row.clientId === clientId);
    if (known) return { ok: true, message: { ...known } };
    if (key === LEFT_ROOM && !this.isMember) return refusal('not_found');
    return { ok: true, message: this.append(key, { clientId, message, replyTo: replyTo?.seq ?? null }) };
  }

  append(key, fields) {
    const log = this.logs.get(key);
    const seq = log.length + 1;
    const row = { seq, conversationId: key, replyTo: null, reactions: [], pinned: false, deleted: false, lastChange: 0, editedBy: 0, ...fields };
    log.push(row);
    this.taken.push(row.clientId);
    this.onStored(key, { ...row });
    return { ...row };
  }

  /** `isElsewhere`: by the same person at another device. */
  change(key, { clientId, target: { seq }, verb }, isElsewhere = false) {
    const changes = this.changes.get(key);
    const row = this.logs.get(key)[seq - 1];
    const known = changes.find((change) => change.clientId === clientId);
    if (known) return { ok: true, change: known.number, message: { ...row } };
    if (key === LEFT_ROOM && !this.isMember) return refusal('not_found');
    if (verb.edit === 'bad') return refusal('invalid');
    const isUnseen = verb.edit !== undefined && row.editedBy > verb.seen;
    if (isUnseen || (row.deleted && !verb.delete)) return refusal('conflict', { message: { ...row } });
    const number = changes.push({ number: changes.length + 1, seq, clientId });
    Object.assign(row, done(row, verb), { lastChange: number });
    if (verb.edit !== undefined) row.editedBy = number;
    if (isElsewhere) row.isTouchedElsewhere ||= verb.edit !== undefined || Boolean(verb.delete);
    this.taken.push(clientId);
    this.onChanged(key, number, { ...row });
    return { ok: true, change: number, message: { ...row } };
  }
}

function done(row, verb) {
  if (verb.delete) return { message: '', reactions: [], pinned: false, deleted: true };
  if (verb.edit !== undefined) return { message: verb.edit };
  if (verb.react) return { reactions: [...row.reactions.filter((emoji) => emoji !== verb.react), ...(verb.on ? [verb.react] : [])] };
  return { pinned: verb.pin };
}
