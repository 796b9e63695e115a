"""User: the report's Utilisateur."""
from dataclasses import dataclass

from ..clock import now, to_db
from . import name_index, usernames

PAGE = 50           # people in one answer of the search
LAST_CHARACTER = "\U0010FFFF"

COLUMNS = "u.id, u.username, u.username_key, u.password"


@dataclass(slots=True)
class User:
    """A registered person: `id`, `username` as shown, `username_key` as compared, `password` as hashed."""

    id: int
    username: str
    username_key: str = ""
    password: str = ""

    # Flask-Login asks an account for these.
    is_authenticated = is_active = True
    is_anonymous = False

    def get_id(self):
        return str(self.id)

    @classmethod
    def from_row(cls, row):
        return cls(row["id"], row["username"], row["username_key"], row["password"])

    @classmethod
    def by_id(cls, database, user_id):
        """Return the person with that id, or None."""
        found = database.query(f"SELECT {COLUMNS} FROM users u WHERE u.id = %s", (user_id,), cls.from_row)
        return found[0] if found else None

    @classmethod
    def named(cls, database, username):
        """Return the person of that name, however it is written, or None."""
        # An account from before the canonical form was as strict has its former key, and comes first for who types it so.
        former, canonical = usernames.former_key(username), usernames.canonical(username)
        found = {user.username_key: user for user in database.query(
            f"SELECT {COLUMNS} FROM users u WHERE u.username_key IN (%s, %s)", (former, canonical), cls.from_row)}
        return found.get(former) or found.get(canonical) or (canonical and cls._named_before(database, canonical)) or None

    @classmethod
    def _named_before(cls, database, canonical):
        skeletons = usernames.skeletons(canonical)
        people = database.query(
            f"SELECT {COLUMNS} FROM username_skeletons n JOIN users u ON u.id = n.user_id"
            f" WHERE n.skeleton IN ({', '.join(['%s'] * len(skeletons))})", skeletons, cls.from_row)
        return next((user for user in people if usernames.canonical(user.username) == canonical), None)

    @classmethod
    def register(cls, database, username, hashed_password):
        """Store and return a new person. Raises Duplicate where the name is taken, or looks like one that is."""
        key = usernames.canonical(username)
        # The id is looked up by the key inside the same transaction: no engine's own way to tell the last id is needed.
        database.transaction([
            ("INSERT INTO users (username, username_key, password, created_at) VALUES (%s, %s, %s, %s)",
             (username, key, hashed_password, to_db(now()))),
            *name_index.statements_for_new(key, username),
        ])
        return cls.named(database, username)

    @classmethod
    def search(cls, database, text, me, after=None, limit=PAGE):
        """Return people whose name contains `text`, case and accents ignored, sorted from the match on.

        An index answers: each name's suffixes are stored, and a name contains what one of its suffixes begins with.
        `me` is left out; `after` is the last person of the page before.
        """
        start = usernames.searchable(text)
        if not start:       # too long to be a part of any name, or accents alone
            return []
        end = start + LAST_CHARACTER
        came_before = cls._first_match(database, after, start, end) if after else ("", 0)
        return database.query(
            f"SELECT {COLUMNS} FROM username_suffixes e JOIN users u ON u.id = e.user_id"
            " WHERE e.suffix >= %s AND e.suffix < %s AND e.suffix >= %s AND (e.suffix > %s OR e.user_id > %s)"
            "   AND e.user_id <> %s"
            # a name that matches twice is shown at its first match only
            "   AND NOT EXISTS (SELECT 1 FROM username_suffixes f WHERE f.user_id = e.user_id"
            "                   AND f.suffix >= %s AND f.suffix < e.suffix)"
            " ORDER BY e.suffix, e.user_id LIMIT %s",
            (start, end, came_before[0], *came_before, me, start, limit), cls.from_row)

    @staticmethod
    def _first_match(database, user_id, start, end):
        rows = database.query("SELECT suffix FROM username_suffixes WHERE user_id = %s AND suffix >= %s AND suffix < %s"
                              " ORDER BY suffix LIMIT 1", (user_id, start, end))
        return (rows[0]["suffix"], user_id) if rows else ("", 0)
