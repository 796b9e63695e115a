"""Mutants of what happens to messages that are there; mutants.py has the list, and says what they are for."""
from .mutants import change_schema


def push_change_early():
    """Pushes what a change will make of a message, and stores it then."""
    from chat.conversations.change import Change
    from chat.live.sockets import Socket
    sockets, initialize, insert = [], Socket.__init__, Change.insert

    def note_socket(self, *arguments, **options):
        initialize(self, *arguments, **options)
        sockets.append(self)

    def push_first(database, changes, effects):
        for change in changes:
            sockets[0].tell_change(change)
        sockets[0].server.sleep(0.1)        # for the push to leave before the process is killed
        insert(database, changes, effects)
    Socket.__init__, Change.insert = note_socket, staticmethod(push_first)


def diff_payload():
    """Pushes what a change did, on what the message was without it: only an edit brings the text of now."""
    from chat.conversations.change import EDIT, Change
    as_json, texts = Change.as_json, {}

    def with_former_text(self):
        told, place = as_json(self), self.ref
        if self.kind != EDIT:
            told["message"] = {**told["message"], "message": texts.get(place, ""), "deleted": False}
        texts[place] = told["message"]["message"]
        return told
    Change.as_json = with_former_text


def changed_after_time():
    """Finds what was changed after the moment of the last known change, instead of after its number: a clock that steps back hides it."""
    from chat.conversations.change import Change

    def since(cls, database, conversation_id, number, limit):
        rows = database.query("SELECT DISTINCT c.seq FROM changes c WHERE c.conversation_id = %s AND c.at > COALESCE((SELECT MAX(at) FROM changes"
                              " WHERE conversation_id = %s AND number <= %s), '') LIMIT %s", (conversation_id, conversation_id, number, limit))
        messages = [Message.by_seq(database, conversation_id, row["seq"]) for row in rows]
        return sorted(messages, key=lambda message: message.last_change)
    from chat.conversations.message import Message
    Change.changed_since = classmethod(since)


def change_counts_twice():
    """Without the unique key of (actor, clientId) a resend is done again."""
    change_schema(lambda schema: schema.replace("    UNIQUE (conversation_id, seq, number),\n    UNIQUE (actor_id, client_id)\n",
                                                 "    UNIQUE (conversation_id, seq, number)\n"))


def forgets_changes():
    """A change that was stored and is sent again is no resend but a failure."""
    from chat.conversations.change import Change
    Change.find_duplicates = classmethod(lambda cls, database, drafts: {})


def no_unique_number():
    """Each batch begins from a number that it has read a moment ago, and nothing refuses it."""
    from chat.conversations.change import Change
    change_schema(lambda schema: schema.replace("    UNIQUE (conversation_id, number),\n    UNIQUE (conversation_id, seq, number),\n", ""))
    last_numbers = Change.last_numbers

    def late(database, conversation_ids):
        return {conversation_id: max(0, number - 1) for conversation_id, number in last_numbers(database, conversation_ids).items()}
    Change.last_numbers = staticmethod(late)


def keeps_deleted_text():
    """A deletion says that there is nothing, and leaves the text and whom it mentions."""
    from chat.conversations import change_effects
    change_effects.TEXT_COLUMNS = {name: value_of for name, value_of in change_effects.TEXT_COLUMNS.items() if name not in ("message", "mentions")}


def quotes_deleted_text():
    """A message keeps what it quoted, whatever becomes of that."""
    from chat.conversations import message_parts
    of, quotes = message_parts.add_quotes, {}

    def first(database, answers):
        of(database, answers)
        for message in answers:
            place = message.conversation_id, message.reply_to
            if message.quote and message.quote.text:
                quotes[place] = message.quote
            message.quote = quotes.get(place, message.quote)
    message_parts.add_quotes = first


def quotes_early():
    """A message that waits for its commit quotes what it quoted when it came."""
    from chat.conversations.writer import Writer
    Writer._requote = lambda self, drafts: None


def keeps_pins():
    """A deletion takes no pin away."""
    from chat.conversations.change_effects import Effects
    statements = Effects._pin_statements
    Effects._pin_statements = lambda self: [(sql, values) for sql, values in statements(self) if sql.startswith("INSERT")]


def no_cursor_over_changes():
    from chat.live import bus
    del bus.STORED["messageChanged"]
