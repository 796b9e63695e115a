"""Who a user may write to: any other user."""
from flask_babel import lazy_gettext as _

from ..accounts.user import User
from ..errors import Invalid, NotFound
from ..storage.schema import MAX_ID


class Recipients:
    """Checks ids of users that came from outside. Users are never deleted, so each is looked up once."""

    def __init__(self, database):
        self.database = database
        self.known_ids = set()

    def require_id(self, user_id, sender, field):
        """Return the id of another user. Raises Invalid if it is no number, NotFound for nobody's and for the sender's own."""
        if isinstance(user_id, bool) or not isinstance(user_id, int):
            raise Invalid(_("%(name)s must be a number, %(least)s or greater.", name=field, least=1))
        if user_id == sender.id or not 0 < user_id <= MAX_ID or not self._exists(user_id):
            raise NotFound(_("User not found."))
        return user_id

    def _exists(self, user_id):
        if user_id not in self.known_ids:
            if not User.by_id(self.database, user_id):
                return False
            self.known_ids.add(user_id)
        return True
