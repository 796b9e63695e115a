/** A message as it will be when the server has taken what its reader, `myId`, did to it. */
export function withVerb(message, verb, myId) {
  if (message.deleted) return message;
  if (verb.delete) return { ...message, message: '', mentionSpans: [], replyTo: null, reactions: [], pinned: false, deleted: true };
  if (verb.edit !== undefined) {
    return { ...message, message: verb.edit, mentionSpans: [], editedAt: message.editedAt ?? new Date().toISOString() };
  }
  if (verb.react) return { ...message, reactions: withReaction(message.reactions, verb, myId) };
  return { ...message, pinned: verb.pin };
}

function withReaction(reactions, { react, on }, myId) {
  const isThere = reactions.some(({ emoji }) => emoji === react);
  const all = isThere ? reactions : [...reactions, { emoji: react, userIds: [] }];
  return all.map(({ emoji, userIds }) => {
    if (emoji !== react) return { emoji, userIds };
    const others = userIds.filter((id) => id !== myId);
    return { emoji, userIds: on ? [...others, myId] : others };
  }).filter(({ userIds }) => userIds.length);
}
