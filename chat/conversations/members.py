"""The members of a room: who they are, what each may do, and how they come and go."""
from dataclasses import dataclass

from ..clock import now, to_db
from ..errors import Duplicate
from ..web.avatars import face_parameter

OWNER, MEMBER = "owner", "member"       # roles
ROLES = (OWNER, MEMBER)
ALL, MENTIONS, NOTHING = "all", "mentions", "none"      # of what a member is notified
NOTIFY_LEVELS = (ALL, MENTIONS, NOTHING)
MAX_MEMBERS = 1000          # of a room
PAGE = 200                  # members in one answer


@dataclass(slots=True)
class Member:
    """A user in a room."""

    id: int
    username: str
    face: int
    role: str
    online: bool = False

    @property
    def face_parameter(self):
        """The `face` parameter of the URL of this user's avatar."""
        return face_parameter(self.face, self.username)

    def as_json(self):
        return {"id": self.id, "username": self.username, "role": self.role}


def count(database, conversation_id):
    """Return how many members a conversation has."""
    return database.query("SELECT COUNT(*) AS members FROM members WHERE conversation_id = %s", (conversation_id,))[0]["members"]


def is_more_than(database, conversation_id, limit):
    """Tell whether a conversation has more members than that. It counts no further."""
    rows = database.query("SELECT COUNT(*) AS members FROM (SELECT user_id FROM members WHERE conversation_id = %s LIMIT %s) n",
                          (conversation_id, limit + 1))
    return rows[0]["members"] > limit


def insertion(conversation_id, user_id, role):
    """Return the statement that makes a user a member, and nothing where the room is full.

    What was said before counts as read: nobody begins with a thousand unread messages.
    """
    return ("INSERT INTO members (conversation_id, user_id, read_seq, role, joined_at)"
            " SELECT c.id, %s, COALESCE((SELECT MAX(seq) FROM messages WHERE conversation_id = c.id), 0), %s, %s FROM conversations c"
            " WHERE c.id = %s AND (SELECT COUNT(*) FROM members WHERE conversation_id = %s) < %s",
            (user_id, role, to_db(now()), conversation_id, conversation_id, MAX_MEMBERS))


def add(database, conversation_id, user_id):
    """Make a user a member. Return True if they are a new one, False if they were one, and None if the room is full."""
    try:
        return database.execute(*insertion(conversation_id, user_id, MEMBER)) > 0 or None
    except Duplicate:
        return False


# Another owner is needed before the last one goes. MySQL reads the table that it changes only through a derived one.
_ANOTHER_OWNER = ("(role <> 'owner' OR EXISTS (SELECT 1 FROM (SELECT user_id FROM members"
                  " WHERE conversation_id = %s AND role = 'owner') o WHERE o.user_id <> %s))")


def remove(database, conversation_id, user_id):
    """End a membership; return whether that was done. It is not for the last owner."""
    return database.execute(f"DELETE FROM members WHERE conversation_id = %s AND user_id = %s AND {_ANOTHER_OWNER}",
                            (conversation_id, user_id, conversation_id, user_id)) > 0


def set_role(database, conversation_id, user_id, role):
    """Give a member another role; return whether that was done. The last owner stays one."""
    return database.execute(f"UPDATE members SET role = %s WHERE conversation_id = %s AND user_id = %s AND role <> %s"
                            f" AND {_ANOTHER_OWNER}", (role, conversation_id, user_id, role, conversation_id, user_id)) > 0


def set_notify(database, conversation_id, user_id, level):
    """Store of what a member is notified."""
    database.execute("UPDATE members SET notify = %s WHERE conversation_id = %s AND user_id = %s", (level, conversation_id, user_id))


def role_of(database, conversation_id, user_id):
    """Return the role of a user, or None who is not a member."""
    rows = database.query("SELECT role FROM members WHERE conversation_id = %s AND user_id = %s", (conversation_id, user_id))
    return rows[0]["role"] if rows else None


def room_ids(database, user_ids):
    """Return {user id: set of the rooms they are members of}, in one statement for all of them."""
    found = {user_id: set() for user_id in user_ids}
    if found:
        for row in database.query("SELECT m.user_id, m.conversation_id FROM members m JOIN conversations c ON c.id = m.conversation_id"
                                  f" WHERE m.user_id IN ({', '.join(['%s'] * len(found))}) AND c.kind = 'room'", tuple(found)):
            found[row["user_id"]].add(row["conversation_id"])
    return found


def people(database, conversation_id, after=None, limit=PAGE):
    """Return a page of the Members: owners first, then by name.

    `after` is the user id that ended the page before.
    """
    start, values = "", []
    if after:
        # 'owner' sorts behind 'member', so the order by role is descending.
        last = database.query("SELECT m.role, o.sort_key FROM members m JOIN username_sort_keys o ON o.user_id = m.user_id"
                              " WHERE m.conversation_id = %s AND m.user_id = %s", (conversation_id, after))
        if not last:
            return []
        role, sort_key = last[0]["role"], last[0]["sort_key"]
        start = " AND (m.role < %s OR (m.role = %s AND (o.sort_key > %s OR (o.sort_key = %s AND m.user_id > %s))))"
        values = [role, role, sort_key, sort_key, after]
    return database.query(
        "SELECT u.id, u.username, u.face, m.role FROM members m JOIN users u ON u.id = m.user_id"
        f" JOIN username_sort_keys o ON o.user_id = m.user_id WHERE m.conversation_id = %s{start}"
        " ORDER BY m.role DESC, o.sort_key, m.user_id LIMIT %s", (conversation_id, *values, limit), lambda row: Member(**row))
