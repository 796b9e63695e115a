/** Puts into the outbox what was done to a message. Loaded when something is. */

/**
 * `dispatcher` has the outbox, `key` is that of the conversation, `target` names the message. `{edit, seen}`, `{delete: true}`, `{react, on}` or
 * `{pin}` is the `verb`; `basedOn` is the clientId of an edit that waits, and whose text was edited. Resolves when it is stored.
 */
export async function change(dispatcher, key, target, verb, basedOn = null) {
  if (await amended(dispatcher, target.clientId, verb)) return;
  await dispatcher.addChange(key, { target, verb, basedOn });
}

/** Edits or deletes a message that nobody has tried to send: it will be sent as it is then. */
async function amended(dispatcher, clientId, { edit, delete: isDeleted }) {
  if (isDeleted) return dispatcher.amend(clientId, () => null);
  return edit !== undefined && dispatcher.amend(clientId, (stored) => ({ ...stored, message: edit }));
}
