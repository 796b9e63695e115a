/**
 * Which conversation something belongs to, as a key: the id of the other person, a number; or `room-12`.
 *
 * Messages, and entries of the outbox, have a `receiverId` or, to a room, a `conversationId`.
 */

const ROOM = 'room-';

export const roomKey = (roomId) => `${ROOM}${roomId}`;
export const isRoom = (key) => typeof key === 'string';

/** The key of where an entry of the outbox goes. */
export const keyOf = ({ receiverId, conversationId }) => receiverId ?? roomKey(conversationId);

/** The key of the conversation that a message stands in, for the user `myId`. */
export function keyOfMessage(message, myId) {
  if (message.receiverId === null) return roomKey(message.conversationId);
  return message.senderId === myId ? message.receiverId : message.senderId;
}

/** The fields that address a conversation, where a person is named by the field `personField`. */
export function addressOf(key, personField) {
  return isRoom(key) ? { conversationId: Number(key.slice(ROOM.length)) } : { [personField]: key };
}
