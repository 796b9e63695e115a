"""User: the report's Utilisateur."""
from dataclasses import dataclass

from ..clock import now, to_db
from ..web.avatars import face_parameter
from . import name_index, usernames

PAGE = 50           # users in one answer of the search
LAST_CHARACTER = "\U0010FFFF"

COLUMNS = "u.id, u.username, u.username_key, u.password, u.face"


@dataclass(slots=True)
class User:
    """A registered user: `username` as shown, `username_key` as compared, `password` as a bcrypt hash."""

    id: int
    username: str
    username_key: str = ""
    password: str = ""
    face: int = 0       # as web/avatars.py numbers them

    # Flask-Login asks an account for these.
    is_authenticated = is_active = True
    is_anonymous = False

    def get_id(self):
        return str(self.id)

    @classmethod
    def from_row(cls, row):
        return cls(row["id"], row["username"], row["username_key"], row["password"], row["face"])

    @property
    def face_parameter(self):
        """The `face` parameter of the URL of this user's avatar."""
        return face_parameter(self.face, self.username)

    def choose_face(self, database, face):
        """Store the number of a face."""
        database.execute("UPDATE users SET face = %s WHERE id = %s", (face, self.id))

    @classmethod
    def by_id(cls, database, user_id):
        """Return the user with that id, or None."""
        found = database.query(f"SELECT {COLUMNS} FROM users u WHERE u.id = %s", (user_id,), cls.from_row)
        return found[0] if found else None

    @classmethod
    def by_ids(cls, database, user_ids):
        """Return the users with these ids, in one statement."""
        user_ids = sorted(user_ids)
        return database.query(f"SELECT {COLUMNS} FROM users u WHERE u.id IN ({', '.join(['%s'] * len(user_ids))})", user_ids,
                              cls.from_row) if user_ids else []

    @classmethod
    def named(cls, database, username):
        """Return the user of that name, in any spelling that has the same canonical form; or None."""
        # An older account is stored under its former key. If the typed name is just that key, the older account is meant.
        former, canonical = usernames.former_key(username), usernames.canonical(username)
        found = {user.username_key: user for user in database.query(
            f"SELECT {COLUMNS} FROM users u WHERE u.username_key IN (%s, %s)", (former, canonical), cls.from_row)}
        return found.get(former) or found.get(canonical) or (canonical and cls._older_account(database, canonical)) or None

    @classmethod
    def _older_account(cls, database, canonical):
        """Return the user whose key is the former one of another spelling, found by the skeleton; or None."""
        skeletons = usernames.skeletons(canonical)
        people = database.query(
            f"SELECT {COLUMNS} FROM username_skeletons n JOIN users u ON u.id = n.user_id"
            f" WHERE n.skeleton IN ({', '.join(['%s'] * len(skeletons))})", skeletons, cls.from_row)
        return next((user for user in people if usernames.canonical(user.username) == canonical), None)

    @classmethod
    def register(cls, database, username, hashed_password):
        """Store and return a new user. Raises Duplicate if the name is taken, or looks like one that is."""
        key = usernames.canonical(username)
        # The other rows find the new id by the key, inside the same transaction: each engine has another way to return ids.
        database.transaction([
            ("INSERT INTO users (username, username_key, password, created_at) VALUES (%s, %s, %s, %s)",
             (username, key, hashed_password, to_db(now()))),
            *name_index.statements_for_new(key, username),
        ])
        return cls.named(database, username)

    @classmethod
    def search(cls, database, text, me, after=None, limit=PAGE):
        """Return at most `limit` users whose name contains `text`, without regard to case and accents.

        They are sorted by the part of the name that begins with the match. `me` is the id of who asks, and is left out; `after` is
        the id of the last user of the page before. An index answers: all suffixes of each name are stored, and a name contains
        `text` if one of its suffixes begins with it.
        """
        start = usernames.search_key(text)
        if not start:       # the text is longer than any name, or only accents
            return []
        end = start + LAST_CHARACTER
        previous = cls._first_match(database, after, start, end) if after else ("", 0)
        return database.query(
            f"SELECT {COLUMNS} FROM username_suffixes e JOIN users u ON u.id = e.user_id"
            " WHERE e.suffix >= %s AND e.suffix < %s AND e.suffix >= %s AND (e.suffix > %s OR e.user_id > %s)"
            "   AND e.user_id <> %s"
            # a name that matches twice is listed once, at its first match
            "   AND NOT EXISTS (SELECT 1 FROM username_suffixes f WHERE f.user_id = e.user_id"
            "                   AND f.suffix >= %s AND f.suffix < e.suffix)"
            " ORDER BY e.suffix, e.user_id LIMIT %s",
            (start, end, previous[0], *previous, me, start, limit), cls.from_row)

    @staticmethod
    def _first_match(database, user_id, start, end):
        rows = database.query("SELECT suffix FROM username_suffixes WHERE user_id = %s AND suffix >= %s AND suffix < %s"
                              " ORDER BY suffix LIMIT 1", (user_id, start, end))
        return (rows[0]["suffix"], user_id) if rows else ("", 0)
