"""The message list of a scripted tab: seqs without a gap. A push is only a hint; gaps are fetched; the heartbeat finds a lost end."""
import time

import requests

from .conversations import key_of_message

HEARTBEAT_SECONDS = 15
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

    def _on_room_changed(self, change):
        key = self.rooms.on_changed(change["conversation"])
        if key:
            self._receive(key, [], change["conversation"]["lastSeq"])

    def _receive(self, key, messages, last_seq=0):
        view = self.views[key]
        with self.locks[key]:
            if "cursor" in self.omissions:
                return self._receive_by_id(view, messages)
            for message in messages:
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
            self.needs_catch_up.wait(min(0.5, max(0, self.next_heartbeat_at - time.monotonic())))
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

    def _read_rooms(self):
        """Ask which rooms the person is a member of: at a new connection, and after a refusal."""
        for key, last_seq in self.rooms.read().items():
            self._receive(key, [], last_seq)

    def open_keys(self):
        """Return the keys of the conversations that the person can read, as far as this tab knows."""
        return [key for key, one in self.conversations.items() if not one.is_room or key in self.rooms]

    def _request_last_seqs(self):
        for key in self.open_keys():
            ack = self.call("markRead", {**self.conversations[key].address("userId"), "seq": self.views[key].last})
            if ack and ack.get("ok"):
                self._receive(key, [], ack["lastSeq"])

    def _fetch(self, key):
        after = self.views[key].last
        try:
            answer = self.person.get(f"{self.conversations[key].path}?after={after}&limit={PAGE_SIZE}",
                                     headers={"Accept": "application/json"})
            page = answer.json() if answer.status_code == 200 else None
        except (requests.RequestException, ValueError):
            page = None
        if page is not None:
            self._receive(key, page["messages"], page["lastSeq"])
            return
        if self.conversations[key].is_room:
            self.rooms.forget()     # perhaps the person is not a member any more
        time.sleep(RETRY_SECONDS)
        self.needs_catch_up.set()
