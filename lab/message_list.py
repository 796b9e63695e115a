"""The message list of a scripted tab: seqs without a gap. A push is only a hint; gaps are fetched; the heartbeat finds a lost end."""
import time

import requests

from .conversations import key_of_message
from .versions import KNOWN_AT

HEARTBEAT_SECONDS = 15
LOOK_SECONDS = 0.5          # between two looks at what is missing
RETRY_SECONDS = 0.2
PAGE_SIZE = 200             # messages in one request


class MessageList:
    """What a tab does with what it receives: a base class of ScriptedTab, which has the connection and the record."""

    def _on_message(self, message):
        if not self.logs_in:    # this tab will be logged out: after that it must not receive anything
            self.record.note("received", tab=self.name, clientId=message["clientId"], sender=message["senderId"])
        key = key_of_message(message, self.person.id)
        if message["receiverId"] is None:
            self.record.note("heard", tab=self.name, person=self.person.id, conversation=key, clientId=message["clientId"],
                             sender=message["senderId"])
        if key in self.conversations:
            self._receive(key, [message])

    def _on_change(self, change):
        message = change["message"]
        key = key_of_message(message, self.person.id)
        if message["receiverId"] is None:
            self.record.note("change_heard", tab=self.name, person=self.person.id, conversation=key, number=change["change"])
        if key in self.conversations:
            self._take_change(key, message, change["change"])

    def _take_change(self, key, message, number):
        """Keep what a message is after a change; `number` is that of the change, 0 if it is unknown."""
        with self.locks[key]:
            self._keep(key, message)
            self.versions[key].note_change(max(number, 0), message["lastChange"])
            is_behind = self.versions[key].is_behind
        if is_behind:
            self.needs_catch_up.set()

    def _keep(self, key, message):
        """Keep the newest version of a message, and note when its text, and the one that it quotes, were told."""
        known_at, name = message.get(KNOWN_AT, 0), self.conversations[key].name
        version = self.versions[key].take(message)
        if version.last_change:
            self.record.note_version(name, message["seq"], version)
        self.see_files(key, message)
        if message["message"]:
            self.record.note_told(name, message["seq"], known_at, self.name)
        if message["replyTo"] and message["replyTo"]["message"]:
            self.record.note_told(name, message["replyTo"]["seq"], known_at, f"{self.name}, quoted by {message['seq']}")

    def _on_room_changed(self, change):
        key = self.rooms.on_changed(change["conversation"])
        if key:
            self._note_last(key, change["conversation"]["lastSeq"], change["conversation"].get("lastChange", 0))

    def _note_last(self, key, last_seq, last_change):
        """Note how far a conversation has come, as the server tells: what is missing is fetched."""
        self._receive(key, [], last_seq)
        with self.locks[key]:
            self.versions[key].last = max(self.versions[key].last, last_change)
        if self.versions[key].is_behind:
            self.needs_catch_up.set()

    def _receive(self, key, messages, last_seq=0):
        view = self.views[key]
        with self.locks[key]:
            if "cursor" in self.omissions:
                return self._receive_by_id(view, messages)
            for message in messages:
                if "kind" in message:       # else it is none that the server has told
                    self._keep(key, message)
                self.last_seqs[key] = max(self.last_seqs[key], message["seq"])
                if message["seq"] == view.last + 1 or "gaps" in self.omissions and message["seq"] > view.last:
                    self.record.shown(view.tab, view.conversation, message["seq"], message["clientId"])
            self.last_seqs[key] = max(self.last_seqs[key], last_seq)
            if self.last_seqs[key] > view.last:
                self.needs_catch_up.set()

    def _receive_by_id(self, view, messages):
        """The mutant "cursor": take the id for a position, so that a message with a smaller id than the last one is disconnected."""
        for message in messages:
            if message["id"] > self.last_id:
                self.last_id = message["id"]
                self.record.shown(view.tab, view.conversation, message["seq"], message["clientId"])

    def _catch_up(self):
        while not self.closing:
            until_heartbeat = self.next_heartbeat_at - time.monotonic() if "heartbeat" not in self.omissions else LOOK_SECONDS
            self.needs_catch_up.wait(min(LOOK_SECONDS, max(0, until_heartbeat)))
            if not self.connected.wait(0.5):
                continue
            self.needs_catch_up.clear()
            if not self.rooms.are_known:
                self._read_rooms()
            if time.monotonic() >= self.next_heartbeat_at and "heartbeat" not in self.omissions:
                self.next_heartbeat_at = time.monotonic() + HEARTBEAT_SECONDS
                self._request_last_seqs()
            for key in self.open_keys():
                if "gaps" not in self.omissions and self.last_seqs[key] > self.views[key].last:
                    self._fetch(key)
                if "change gaps" not in self.omissions and self.versions[key].is_behind:
                    self._fetch_changes(key)

    def _read_rooms(self):
        """Ask which rooms the person is a member of: at a new connection, and after a refusal."""
        for key, (last_seq, last_change) in self.rooms.read().items():
            self._note_last(key, last_seq, last_change)

    def open_keys(self):
        """Return the keys of the conversations that the person can read, as far as this tab knows."""
        return [key for key, one in self.conversations.items() if not one.is_room or key in self.rooms]

    def _request_last_seqs(self):
        for key in self.open_keys():
            ack = self.call("markRead", {**self.conversations[key].address("userId"), "seq": self.views[key].last})
            if ack and ack.get("ok"):
                self._note_last(key, ack["lastSeq"], ack["lastChange"])

    def _fetch(self, key):
        page = self._request_page(key, f"after={self.views[key].last}")
        if page is not None:
            self._receive(key, page["messages"], page["lastSeq"])

    def _fetch_changes(self, key):
        """Fetch what was changed since the last change up to which all is known, however much it is."""
        log = self.versions[key]
        while log.is_behind and not self.closing:
            page = self._request_page(key, f"changedAfter={log.known}")
            if page is None:
                return
            with self.locks[key]:
                for message in page["messages"]:
                    self._keep(key, message)
                log.note_page(page["messages"], page["lastChange"])

    def _request_page(self, key, query):
        """Return a page of the conversation; None if there is no answer, and then it is tried again soon."""
        try:
            answer = self.person.get(f"{self.conversations[key].path}?{query}&limit={PAGE_SIZE}", headers={"Accept": "application/json"})
            if answer.status_code == 200:
                return answer.json()
        except (requests.RequestException, ValueError):
            pass
        if self.conversations[key].is_room:
            self.rooms.forget()     # perhaps the person is not a member any more
        time.sleep(RETRY_SECONDS)
        self.needs_catch_up.set()
        return None
