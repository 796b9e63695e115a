"""How much of what people wrote goes into one answer: the server holds it until the client has received it."""

MAX_PAGE_BYTES = 256 * 1024     # of texts, names, descriptions and reactions in one answer; the fixed fields of a message do not count
FILE_BYTES = 200            # of a file in JSON, without its name and its description
REACTION_BYTES = 11         # of somebody who has reacted: an id and its comma


def size_of(text, files=(), reactions=()):
    """Return roughly how many bytes these take in an answer, of a message or of anything that shows one."""
    size = len(text.encode())
    if files:
        size += sum(FILE_BYTES + len(file.name.encode()) + len((file.alt or "").encode()) for file in files)
    if reactions:
        size += REACTION_BYTES * sum(len(reaction.user_ids) for reaction in reactions)
    return size


def fitting(messages):
    """Return the first messages, as many as fit into one answer, but at least one: who reads page by page gets on."""
    size = 0
    for count, message in enumerate(messages):
        size += size_of(message.message, message.files, message.reactions)
        if count and size > MAX_PAGE_BYTES:
            return messages[:count]
    return messages
