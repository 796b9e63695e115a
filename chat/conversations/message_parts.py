"""What belongs to a message and stands in other rows: the message that it quotes, whom it mentions, its files, its
reactions, its pin.

Few messages have any, and a column of the message says which: a page without them costs no statement more.
"""
from dataclasses import dataclass

from .file import File, holding_statements
from .formatting import plain
from .previews import shortened

MAX_READ = 240      # code points of a quoted message of which the words are made: a page has up to 200 quotes


@dataclass(slots=True)
class Quote:
    """The message that another one answers, as it is now. `text` is its beginning as it was written; empty where it was deleted.

    `words` is what is shown of it, without marks. More of the text is formatted than is shown, and shortened afterwards: a mark may end behind the cut.
    """

    seq: int
    sender: str
    sender_id: int
    text: str
    words: str
    is_deleted: bool
    files: tuple

    @classmethod
    def of(cls, message):
        """Return the quote of a message."""
        return cls.made(message.seq, message.sender, message.sender_id, message.message, message.is_deleted, message.files)

    @classmethod
    def made(cls, seq, sender, sender_id, text, is_deleted, files):
        """Return the quote of the message that has this text."""
        return cls(seq, sender, sender_id, shortened(text), shortened(plain(text, MAX_READ)), is_deleted, files)

    def as_json(self):
        told = {"seq": self.seq, "sender": self.sender, "senderId": self.sender_id, "message": self.text, "deleted": self.is_deleted,
                "file": self._file_as_json() if self.files else None}
        return {**told, "words": self.words} if self.words != self.text else told

    def _file_as_json(self):
        file = self.files[0]
        return {"id": file.id, "name": file.name, "type": file.type, "hasPreview": file.has_preview}


@dataclass(slots=True)
class Reaction:
    """One emoji at a message, and who has chosen it: the first one first. `since` has the time of each, as the database keeps it."""

    emoji: str
    user_ids: list
    since: list

    def as_json(self):
        return {"emoji": self.emoji, "userIds": self.user_ids}


def reactions_of(uses):
    """Return the Reactions that these (time, user id, emoji) are, in their order: the emoji that was used first comes first."""
    found = {}
    for at, user_id, emoji in uses:
        reaction = found.get(emoji)
        if reaction is None:
            reaction = found[emoji] = Reaction(emoji, [], [])
        reaction.user_ids.append(user_id)
        reaction.since.append(at)
    return tuple(found.values())


def uses_of(reactions):
    """Return the (time, user id, emoji) of Reactions."""
    return [(at, user_id, reaction.emoji) for reaction in reactions for at, user_id in zip(reaction.since, reaction.user_ids)]


def complete(database, messages):
    """Give messages their quotes, their files, their reactions and their pins.

    Return the refs of messages that were changed after their rows had been read: their parts are those of another version.
    """
    add_quotes(database, [message for message in messages if message.reply_to and not message.deleted_at])
    holding = {message.ref: message for message in messages if message.file_count}
    for place, files in files_at(database, holding).items():
        holding[place].files = files
    partial = {message.ref: message for message in messages if (message.last_change or message.file_count) and not message.deleted_at}
    return _add_reactions_and_pins(database, partial) if partial else []


def files_at(database, refs):
    """Return {place: files} of messages that have some."""
    if not refs:
        return {}
    return File.of_messages(database, *where_refs(refs, "l."))


def add_quotes(database, answers):
    """Let messages that answer others quote them as they are now."""
    if not answers:
        return
    quotes = {}
    wanted = {(message.conversation_id, message.reply_to) for message in answers}
    condition, values = where_refs(wanted, "m.")
    rows = database.query("SELECT m.conversation_id, m.seq, m.sender_id, m.message, m.deleted_at, m.files, u.username"
                          f" FROM messages m JOIN users u ON u.id = m.sender_id WHERE {condition}", values)
    files = files_at(database, [(row["conversation_id"], row["seq"]) for row in rows if row["files"]])
    for row in rows:
        place = row["conversation_id"], row["seq"]
        quotes[place] = Quote.made(row["seq"], row["username"], row["sender_id"], row["message"], row["deleted_at"] is not None, files.get(place, ()))
    for message in answers:
        message.quote = quotes.get((message.conversation_id, message.reply_to))


def _add_reactions_and_pins(database, messages):
    """Return the refs of the messages whose last change is another one by now.

    One statement, so that reactions, pins and last changes are of the same moment. Rows without an emoji are pins, those without
    a time the numbers of the last changes.
    """
    uses, torn = {}, []     # ref of a message -> (time, user id, emoji) of each
    condition, values = where_refs(messages)
    for row in database.query(f"SELECT conversation_id, seq, user_id AS number, emoji, at FROM reactions WHERE {condition}"
                              f" UNION ALL SELECT conversation_id, seq, user_id, '', at FROM pins WHERE {condition}"
                              f" UNION ALL SELECT conversation_id, seq, last_change, '', NULL FROM messages WHERE {condition}"
                              " ORDER BY at, number, emoji", values * 3):
        place = row["conversation_id"], row["seq"]
        if row["emoji"]:
            uses.setdefault(place, []).append((row["at"], row["number"], row["emoji"]))
        elif row["at"]:
            messages[place].is_pinned = True
        elif row["number"] != messages[place].last_change:
            torn.append(place)
    for place, found in uses.items():
        messages[place].reactions = reactions_of(found)
    return torn


def where_refs(refs, prefix=""):
    """Return the condition that a row has one of these refs, (conversation id, seq), and its values."""
    seqs = {}
    for conversation_id, seq in refs:
        seqs.setdefault(conversation_id, []).append(seq)
    condition = " OR ".join(f"({prefix}conversation_id = %s AND {prefix}seq IN ({', '.join(['%s'] * len(found))}))" for found in seqs.values())
    return condition, [value for conversation_id, found in seqs.items() for value in (conversation_id, *found)]


def more_rows(messages):
    """Return what stores whom messages mention and which files they hold, in the same transaction; None where there is neither."""
    if not messages:
        return None
    mentioning, holding = [m for m in messages if m.mentions], [m for m in messages if m.files]
    return lambda _ids: [*([mention_insertion(mentioning)] if mentioning else ()), *(holding_statements(holding) if holding else ())]


def mention_insertion(messages):
    """Return the statement that stores who is mentioned in messages that mention somebody."""
    values = [value for m in messages for user_id in m.mentioned_ids for value in (user_id, m.conversation_id, m.seq, m.sender_id)]
    rows = ", ".join(["(%s, %s, %s, %s)"] * (len(values) // 4))
    return f"INSERT INTO mentions (user_id, conversation_id, seq, sender_id) VALUES {rows}", values


def mentions_to_db(mentions):
    return " ".join(f"{user_id}:{start}:{length}" for user_id, start, length in mentions)


def mentions_from_db(text):
    return tuple(tuple(map(int, mention.split(":"))) for mention in text.split())
