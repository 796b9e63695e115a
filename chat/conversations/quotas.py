"""Quotas of files: bytes that one person may upload in a day and have in all, and bytes of everybody together."""
import time
from datetime import datetime, timezone

from flask_babel import lazy_gettext as _

from ..errors import OverQuota, RateLimited
from ..web.languages import waiting_time
from .file import KEPT_HOURS, File
from .file_words import size_words

REMOVED = "removed_bytes"       # the key of what somebody has removed of the bytes of the day
NEARLY = 0.8            # of a quota: from then on it is said what is left
TOTAL_SECONDS = 60      # for which the sum of all files is believed: it reads a whole index


class Quotas:
    """What is left, by the rows of `files`. Removed files count towards the daily quota (`limits`), not towards the total."""

    def __init__(self, database, limits, settings):
        self.database = database
        self.limits = limits
        self.enabled = settings["RATELIMIT_ENABLED"]
        self.day_bytes, self.person_bytes, self.all_bytes = (settings[name] for name in ("FILE_BYTES_A_DAY", "FILE_BYTES_A_PERSON", "FILE_BYTES"))
        self.max_file_bytes = settings["MAX_FILE_BYTES"]
        self.total, self.total_read_at = 0, None

    def require(self, user_id, size):
        """Raise RateLimited or OverQuota, in words, if there is no room for a file of so many bytes."""
        if not self.enabled:
            return
        used, today, since = self._usage(user_id)
        if used + size > self.person_bytes:
            raise OverQuota(_("Your files take up %(used)s of %(most)s. Delete messages with files that nobody needs.",
                              used=size_words(used), most=size_words(self.person_bytes)))
        if today + size > self.day_bytes:
            wait = _seconds_until_a_day_after(since)
            raise RateLimited(_("You may upload %(most)s a day, and have %(left)s left. You can upload more in %(time)s.",
                                most=size_words(self.day_bytes), left=size_words(max(0, self.day_bytes - today)), time=waiting_time(wait)), retry_after=wait)
        if self._total() + size > self.all_bytes:
            raise OverQuota(_("The server has no room for more files. Tell the person who runs it."))

    def _usage(self, user_id):
        """Return as File.usage does, with what was removed of the day."""
        used, today, since = File.usage(self.database, user_id)
        this_hour = int(time.time()) // 3600
        hours = range(this_hour - KEPT_HOURS + 1, this_hour + 1)
        removed = self.limits.amounts_of(*(f"{REMOVED}:{user_id}:{hour}" for hour in hours))
        if any(removed):
            oldest = next(hour for hour, amount in zip(hours, removed) if amount)
            begin = datetime.fromtimestamp(oldest * 3600, timezone.utc).isoformat().replace("+00:00", "Z")
            since = min(filter(None, (since, begin)))
        return used, today + sum(removed), since

    def note_removal(self, file):
        """Count the bytes of a removed file, in the hour of its upload, until its day is over: so deleting does not free the daily quota."""
        hour = int(datetime.fromisoformat(file.created_at.replace("Z", "+00:00")).timestamp()) // 3600
        self.limits.add(f"{REMOVED}:{file.user_id}:{hour}", file.size, KEPT_HOURS * 3600)

    def note(self, size):
        """Note a file that was stored."""
        self.total += size

    def _total(self):
        if self.total_read_at is None or time.monotonic() - self.total_read_at > TOTAL_SECONDS:
            self.total, self.total_read_at = File.total_bytes(self.database), time.monotonic()
        return self.total

    def left_words(self, user_id):
        """Return in words what a person may upload still, or nothing while little of their quotas is used."""
        if not self.enabled:
            return ""
        used, today, _since = self._usage(user_id)
        of_day, of_all = self.day_bytes - today, self.person_bytes - used
        if used > NEARLY * self.person_bytes and of_all <= of_day:
            return _("Your files may have %(left)s more in all.", left=size_words(max(0, of_all)))
        return _("You may upload %(left)s more today.", left=size_words(max(0, of_day))) if today > NEARLY * self.day_bytes else ""

    def as_json(self, user_id):
        """Return what one person may upload still."""
        used, today, since = self._usage(user_id)
        left = max(0, min(self.day_bytes - today, self.person_bytes - used, self.all_bytes - self._total()))
        return {"maxFileBytes": self.max_file_bytes, "dayBytes": self.day_bytes, "usedToday": today, "leftToday": max(0, self.day_bytes - today),
                "allBytes": self.person_bytes, "usedInAll": used, "left": left,
                "moreIn": _seconds_until_a_day_after(since) if since else 0}


def _seconds_until_a_day_after(at):
    """Return how many seconds it takes until a time is a day ago."""
    if not at:
        return KEPT_HOURS * 3600
    passed = datetime.now(timezone.utc) - datetime.fromisoformat(at.replace("Z", "+00:00"))
    return max(1, round(KEPT_HOURS * 3600 - passed.total_seconds()))
