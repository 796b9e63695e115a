"""The conversations of a tab: with another person, or in a room. The browser's `address.js` has the same keys."""
from dataclasses import dataclass
from urllib.parse import quote

from .record import conversation_of, room_name


@dataclass(frozen=True)
class DirectConversation:
    """With one other person. Its key is that person's id."""

    my_id: int
    peer_id: int
    peer_name: str
    is_room = False

    @property
    def key(self):
        return self.peer_id

    @property
    def name(self):
        """The name in the record."""
        return conversation_of(self.my_id, self.peer_id)

    @property
    def path(self):
        """Where its messages are."""
        return f"/messages/{quote(self.peer_name)}"

    @property
    def page_path(self):
        return f"/chat/{quote(self.peer_name)}"

    def text(self, username, number):
        """Return what somebody writes, which is different in each conversation."""
        return f"{username} {number}"

    def address(self, field):
        """Return the field of an event that says which conversation it is about; that of a person is called `field`."""
        return {field: self.peer_id}


@dataclass(frozen=True)
class RoomConversation:
    """In a room. Its key is `room-12`, which is its name in the record too."""

    room_id: int
    is_room = True

    @property
    def key(self):
        return room_name(self.room_id)

    name = key

    @property
    def path(self):
        return f"/conversations/{self.room_id}/messages"

    @property
    def page_path(self):
        return f"/rooms/{self.room_id}"

    def text(self, username, number):
        return f"{username} in {self.name} {number}"

    def address(self, _field):
        return {"conversationId": self.room_id}


def key_of_message(message, my_id):
    """Return the key of the conversation in which a message stands, for the person with that id."""
    if message["receiverId"] is None:
        return room_name(message["conversationId"])
    return message["receiverId"] if message["senderId"] == my_id else message["senderId"]
