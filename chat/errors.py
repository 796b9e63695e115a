"""What can go wrong in the chat, in words that a person or a program can act on."""
import logging

from flask_babel import lazy_gettext as _

log = logging.getLogger(__name__)


class ChatError(Exception):
    """A refusal: `code` for programs, `message` for people, `status` for HTTP, `retry` if the same may work later."""

    code = "invalid"
    status = 400
    retry = False

    def __init__(self, message, retry_after=None, details=None):
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after  # seconds to wait, or None
        self.details = details or {}    # what an answer has beside the error

    def as_json(self):
        error = {"code": self.code, "message": str(self.message), "retry": self.retry}
        if self.retry_after is not None:
            error["retryAfter"] = self.retry_after
        return error


class Invalid(ChatError):
    """Not of the form that the protocol asks for."""


class TooLong(ChatError):
    code = "too_long"


class TooLarge(ChatError):
    """A file of more bytes than one may have."""

    code = "too_large"
    status = 413


class NotFound(ChatError):
    """Not there, or not yours: the two are never told apart."""

    code = "not_found"
    status = 404


class Forbidden(ChatError):
    """A member asks for what is an owner's, or for what nobody may do any more."""

    code = "forbidden"
    status = 403


class Conflict(ChatError):
    """It would contradict how things stand now."""

    code = "conflict"
    status = 409


class Unauthorized(ChatError):
    code = "unauthorized"
    status = 401


class RateLimited(ChatError):
    code = "rate_limited"
    status = 429
    retry = True


class OverQuota(ChatError):
    """There is no room left for what somebody has; waiting alone does not help."""

    code = "over_quota"
    status = 429


class Unavailable(ChatError):
    """The database or Redis does not answer; whether the statement was carried out is not known."""

    code = "unavailable"
    status = 503
    retry = True

    def __init__(self, message=None):
        super().__init__(message or _("The server is temporarily unavailable. Try again in a moment."))


class Locked(Unavailable):
    """Other sessions hold what the statement needs, or keep being faster; whatever else the database has is free."""


class Internal(ChatError):
    """An error of the server's own, which its log explains."""

    code = "internal"
    status = 500

    def __init__(self):
        super().__init__(_("Something went wrong on the server. The error has been logged."))


class UnknownEvent(ChatError):
    code = "unknown_event"
    status = 404


class Duplicate(Exception):
    """A UNIQUE constraint said no."""


def unavailable(error, kind=Unavailable):
    """Return what people are told; the driver's own words, which may name hosts and users, go to the log."""
    log.warning("the database does not answer: %s", error)
    return kind()
