"""Room: a conversation that has a name and as many members as join it."""
import unicodedata
from dataclasses import dataclass

from flask_babel import lazy_gettext as _

from ..accounts.characters import is_blank
from ..clock import from_db, now, to_db
from ..errors import Invalid, TooLong
from . import members

MAX_NAME_LENGTH = 64        # characters, after trimming
MAX_TOPIC_LENGTH = 250      # characters, after trimming
ICONS = ("hash", "graduation-cap", "book-open", "code", "flask-conical", "rocket", "coffee", "music", "heart", "globe", "star", "users")
COLORS = 8                  # tints of the tile

# A name is one line. Joiners belong to words and to emoji, and a space of any width is a space; what turns the direction of the
# text around the name is none of it.
REFUSED_CATEGORIES = {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"}
BIDI_CONTROLS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"

COLUMNS = "c.id, c.name, c.topic, c.icon, c.color, c.open, c.created_by, c.archived_at"
LABELS = {"name": _("Name"), "topic": _("Topic")}      # as the form has them
EDITABLE = {"name", "topic", "icon", "color", "open", "archived_at"}    # columns that `update` may name


@dataclass(slots=True)
class Room:
    """A room as it is stored; `archived_at` is None while it is in use."""

    id: int
    name: str
    topic: str
    icon: str
    color: int
    is_open: bool
    created_by: int
    archived_at: str | None = None

    @classmethod
    def from_row(cls, row):
        return cls(row["id"], row["name"], row["topic"] or "", row["icon"] or ICONS[0], row["color"] or 0, bool(row["open"]),
                   row["created_by"], row["archived_at"] and from_db(row["archived_at"]))

    @property
    def is_archived(self):
        return self.archived_at is not None

    @classmethod
    def by_id(cls, database, room_id):
        """Return the room with that id, or None."""
        found = database.query(f"SELECT {COLUMNS} FROM conversations c WHERE c.id = %s AND c.kind = 'room'", (room_id,), cls.from_row)
        return found[0] if found else None

    @classmethod
    def create(cls, database, creator_id, values):
        """Store and return a new room whose one member is its owner. `values` has the columns that `validate` returns."""
        columns = {"topic": "", "icon": ICONS[0], "color": 0, "open": 0, **values}
        names = ", ".join(columns)
        [room_id] = database.insert(
            f"INSERT INTO conversations (kind, {names}, created_by, created_at) VALUES ('room', {', '.join(['%s'] * len(columns))}, %s, %s)",
            (*columns.values(), creator_id, to_db(now())), rows=1,
            then=lambda ids: [members.insertion(ids[0], creator_id, members.OWNER)])
        return cls.by_id(database, room_id)

    def update(self, database, values):
        """Store other values of these columns."""
        assert values.keys() <= EDITABLE
        changes = ", ".join(f"{column} = %s" for column in values)
        database.execute(f"UPDATE conversations SET {changes} WHERE id = %s", (*values.values(), self.id))

    def as_json(self):
        """Return what is the same for everybody who may see the room."""
        return {"id": self.id, "name": self.name, "topic": self.topic, "icon": self.icon, "color": self.color,
                "open": self.is_open, "archived": self.is_archived}


def validate(fields):
    """Return the columns of a room for those of its fields that are given. Raises Invalid or TooLong with the reason."""
    values = {}
    if "name" in fields:
        values["name"] = _line(fields["name"], "name", MAX_NAME_LENGTH)
        if is_blank(values["name"]):
            raise Invalid(_("A room needs a name."))
    if fields.get("topic") is not None:
        values["topic"] = _line(fields["topic"], "topic", MAX_TOPIC_LENGTH)
    if fields.get("open") is not None:
        values["open"] = int(boolean(fields["open"], "open"))
    if fields.get("icon") is not None:
        if fields["icon"] not in ICONS:
            raise Invalid(_("There is no such icon."))
        values["icon"] = fields["icon"]
    if fields.get("color") is not None:
        color = fields["color"]
        if isinstance(color, str) and color.isascii() and color.isdigit() and len(color) < 3:
            color = int(color)
        if isinstance(color, bool) or not isinstance(color, int) or not 0 <= color < COLORS:
            raise Invalid(_("There is no such colour."))
        values["color"] = color
    return values


def boolean(value, name):
    """Return true or false for a boolean of JSON or the text of a form's field. Raises Invalid for anything else."""
    if value in ("", "0", "false", False):
        return False
    if value in ("on", "1", "true", True):
        return True
    raise Invalid(_("%(name)s must be true or false.", name=name))


def _line(value, name, most):
    """Return one line of text, trimmed. Raises Invalid or TooLong with the reason."""
    if not isinstance(value, str):
        raise Invalid(_("%(name)s must be text.", name=name))
    value = value.strip()
    if len(value) > most:
        raise TooLong(_("%(name)s can have at most %(most)s characters.", name=LABELS[name], most=most))
    if any(unicodedata.category(character) in REFUSED_CATEGORIES or character in BIDI_CONTROLS for character in value):
        raise Invalid(_("This text contains characters that cannot be saved."))
    return value
