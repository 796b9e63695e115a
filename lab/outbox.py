"""The entries of a scripted tab's outbox: a message, or a change of a message that is there. Both keep their clientId however often they are sent."""
import time
import uuid


class Entry:
    """A message. `reply_to` is the seq of the message that it answers, or None; `uploads` are its files, which are uploaded before it."""

    event = "sendMessage"
    answered = "answered"       # the kind of the event in the record that says how an attempt ended

    def __init__(self, key, text, reply_to=None, uploads=()):
        self.key = key          # of its conversation
        self.text = text
        self.reply_to = reply_to
        self.uploads = list(uploads)
        self.client_id = uuid.uuid4().hex
        self.written_at = time.monotonic()
        self.attempts = 0

    def payload(self, conversation):
        """Return what is emitted."""
        reply = {} if self.reply_to is None else {"replyTo": self.reply_to}
        files = {"files": [upload.file_id for upload in self.uploads]} if self.uploads else {}
        return {"clientId": self.client_id, **conversation.address("receiverId"), "message": self.text, **reply, **files}


class ChangeEntry:
    """A change. `verb` is what the protocol calls it: `{"edit": text, "seen": n}`, `{"delete": True}`, `{"react": emoji, "on": True}` …"""

    event = "changeMessage"
    answered = "changed"
    uploads = ()

    def __init__(self, key, conversation_id, seq, verb):
        self.key, self.conversation_id, self.seq, self.verb = key, conversation_id, seq, verb
        self.client_id = uuid.uuid4().hex
        self.written_at = time.monotonic()
        self.attempts = 0

    def payload(self, _conversation):
        return {"clientId": self.client_id, "conversationId": self.conversation_id, "seq": self.seq, **self.verb}
