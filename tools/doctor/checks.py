"""The checks, in the order in which a person would meet the problems. Each problem comes with a fix."""
import email.utils
import http.client
import re
import secrets
import ssl
import time
from dataclasses import dataclass
from datetime import datetime, timezone

from wsproto.utilities import ProtocolError

from tools import command_line

from .client import PollingTab, Refused, Visitor, WebSocketTab

POLLS = 8                   # of one polling connection: if every second request goes to another process, 255 of 256 runs notice it
CLOCK_TOLERANCE = 5         # seconds
UPLOAD_BYTES = 2_000_000    # of a file that is sent: more than proxies take by themselves
NETWORK_ERRORS = (OSError, http.client.HTTPException, ProtocolError)
# Raised by reading an answer that is not the chat's: a page instead of JSON, or JSON with other content.
READING_ERRORS = (ValueError, LookupError, TypeError, AttributeError)


@dataclass
class Finding:
    """A sentence; `fix` is empty if there is no problem."""

    words: str
    fix: str = ""


class Stop(Exception):
    """The remaining checks make no sense after these findings, which are its arguments."""


def run_checks(url):
    """Yield the findings about the chat at that address."""
    one, other = Visitor(url), Visitor(url)
    try:
        yield from with_error(check_health(one), "/healthz is not answered as the chat does")
        yield from with_error(check_services(one), "/readyz is not answered as the chat does")
        for visitor in (one, other):
            if not (yield from with_error(check_registration(visitor), "Nobody can register and stay logged in")):
                return
        polling = yield from with_error(check_polling(one), "Long polling does not work")
        websocket = yield from with_error(check_websocket(other), "WebSockets are blocked")
        if polling:
            yield from with_error(check_delivery(one, other, polling, websocket), "A message was sent and did not arrive")
        if websocket:
            websocket.close()
        yield from with_error(check_upload(one), "A file does not get through")
    except Stop as stop:
        yield from stop.args


def with_error(step, prefix):
    """Yield the findings of a check and return its result; an unexpected error is a finding too."""
    try:
        return (yield from step)
    except NETWORK_ERRORS as error:
        why = str(error) or type(error).__name__
    except READING_ERRORS:
        why = "what came is not the chat's answer"
    yield Finding(f"{prefix}: {why}.",
                  "Let the proxy pass every path on, GET and POST; its log, and the server's, say what became of them.")


def check_health(visitor):
    """Does the chat answer at this address?"""
    try:
        started = time.monotonic()
        answer = visitor.ask("GET", "/healthz")
    except ssl.SSLError as error:
        raise Stop(Finding(f"The certificate is not trusted: {error.reason or error}.",
                           "Renew it, or put the whole chain into the file that the proxy serves.")) from error
    except NETWORK_ERRORS as error:
        raise Stop(Finding(f"Nobody answers at {visitor.origin}: {error}.",
                           f"Start the chat with `{command_line('run')}`, and look at HOST and PORT there; behind a proxy,"
                           " look whether that one runs.")) from error
    if answer.status != 200 or answer.json().get("status") != "ok":
        raise Stop(Finding(f"Somebody answers at {visitor.origin}, but not the chat ({answer.status}).",
                           "Where a proxy answers, its upstream address is wrong or the chat does not run."))
    yield Finding(f"The chat answers in {(time.monotonic() - started) * 1000:.0f} ms.")
    date = email.utils.parsedate_to_datetime(answer.headers["Date"]) if answer.headers["Date"] else None
    yield from clock(date, "The server's clock")


def clock(then, whose):
    if then:
        apart = (then - datetime.now(timezone.utc)).total_seconds()
        if abs(apart) > CLOCK_TOLERANCE:
            yield Finding(f"{whose} is {abs(apart):.0f} seconds {'ahead of' if apart > 0 else 'behind'} this machine's.",
                          "Let both follow a time server: `timedatectl set-ntp true`.")
        else:
            yield Finding(f"{whose} agrees with this machine's.")


AWAY = {
    "database": Finding("The database does not answer the server.",
                        "Look whether MariaDB or MySQL runs and takes connections at DATABASE_URL, and whether its disk is full."),
    "redis": Finding("Redis does not answer the server.",
                     "Look whether Redis runs at REDIS_URL. Until it does nobody can log in; who is connected goes on."),
}


def check_services(visitor):
    """Do the database and Redis answer the server?"""
    answer = visitor.ask("GET", "/readyz")
    away = answer.json().get("unavailable")
    if away is None:
        yield Finding(f"/readyz is answered with {answer.status} and not by the chat.", "Let the proxy pass every path on.")
    elif away:      # everything else would fail for this reason
        raise Stop(*[AWAY[part] for part in away])
    else:
        yield Finding("The database and Redis, where there is one, answer the server.")


def check_registration(visitor):
    """Can somebody register and stay logged in? Returns True if so; the other checks need it."""
    try:
        visitor.register()
    except Refused as refusal:
        if refusal.status == 503:
            raise Stop(Finding("Nobody can register: the server cannot store what it is given.",
                               "If the database answers, it may be read-only, or its disk full: "
                               "`SELECT @@read_only` there, and the server's log, tell.")) from refusal
        if refusal.status == 429:
            raise Stop(Finding("Nobody can register from this address for now: there were too many tries.",
                               "Wait ten minutes, or raise ADDRESS_REGISTRATIONS and REGISTRATIONS. A proxy may have limits"
                               " of its own, such as `limit_req` in nginx.")) from refusal
        if refusal.status == 400 and visitor.rejected_cookies:
            raise Stop(insecure(visitor)) from refusal
        raise Stop(Finding(f"Nobody can register: {refusal}.", "The server's log says why.")) from refusal
    if visitor.rejected_cookies:
        raise Stop(insecure(visitor))
    try:
        visitor.home()
    except Refused as refusal:
        raise Stop(Finding("Somebody who has just logged in is asked to log in again.",
                           "All processes need the same SECRET_KEY and the same REDIS_URL.")) from refusal
    if visitor.https and not any(name.startswith("__Host-") for name in visitor.cookies):
        yield Finding("The session's cookie is not Secure though the page comes by https.", "Set HTTPS=1.")
    else:
        yield Finding(f"{visitor.name} has registered and is logged in.")
    return True


def insecure(visitor):
    return Finding(f"Browsers do not return the cookie {', '.join(sorted(visitor.rejected_cookies))}: it is Secure, and this address is http.",
                   "Go to the https address, or set HTTPS=0 where there is none.")


def check_polling(visitor):
    """Does long polling work repeatedly? Returns the open connection, or None."""
    try:
        tab = PollingTab(visitor)
        tab.connect()
        for _n in range(POLLS):
            tab.call("typing", {"userId": 0})
    except Refused as refusal:
        if "session" in refusal.text.lower():
            yield Finding("Long polling breaks off: a request reached another process than the one before.",
                          "Make the proxy sticky: `cookie SERVERID insert` in HAProxy, as deploy/haproxy.cfg shows, or `ip_hash` in nginx.")
        elif "Origin" in refusal.text:
            yield origin(refusal)
        else:
            yield Finding(f"Long polling does not work: {refusal}.", "Let the proxy pass /socket.io on, GET and POST.")
    except NETWORK_ERRORS as error:
        yield Finding(f"Long polling does not work: {error}.",
                      "Let the proxy wait 60 s for an answer, and not gather answers before it passes them on.")
    else:
        yield Finding(f"Long polling works, {2 * POLLS} requests in a row.")
        return tab


def origin(refusal):
    """The chat's message differs for a missing and for a wrong Origin."""
    if "needs" in refusal.text:
        return Finding("The Origin of a request is lost on its way to the chat, so WebSockets are refused.",
                       "Let the proxy pass the Origin header on as the browser sends it.")
    return Finding("The Origin of a request is not the host that the chat is asked for, so live connections are refused.",
                   "Let the proxy pass Host on: `proxy_set_header Host $http_host` in nginx.")


def check_websocket(visitor):
    """Do WebSockets work? Returns the open connection, or None."""
    try:
        tab = WebSocketTab(visitor)
        tab.connect()
    except Refused as refusal:
        if "Origin" in refusal.text:
            yield origin(refusal)
            return None
        found = str(refusal)
    except NETWORK_ERRORS as error:
        found = str(error)
    else:
        yield Finding("WebSockets get through.")
        return tab
    yield Finding(f"WebSockets are blocked: {found}. The chat goes on by long polling, for more work.",
                  "Let the proxy pass Upgrade and Connection on, by HTTP/1.1: deploy/nginx.conf shows how.")


def check_delivery(one, other, polling, websocket):
    """Does a message of one reach the other?"""
    try:
        if websocket is None:
            websocket = PollingTab(other)
            websocket.connect()
        started = time.monotonic()
        answer = polling.call("sendMessage", {"clientId": secrets.token_hex(8), "receiverId": other.own_id(),
                                              "message": "The doctor was here."})
        if not answer.get("ok"):
            yield Finding(f"A message is refused: {answer.get('error', {}).get('message', answer)}", "The server's log says why.")
            return
        received = websocket.wait_for("receiveMessage")
        took = (time.monotonic() - started) * 1000
    except (Refused, *NETWORK_ERRORS) as error:
        yield Finding(f"A message was sent and did not arrive: {error}.",
                      "Where several processes run, all of them need the same REDIS_URL.")
        return
    yield Finding(f"A message is stored and delivered in {took:.0f} ms.")
    yield from clock(datetime.fromisoformat(received["timestamp"].replace("Z", "+00:00")), "The clock that dates messages")


def check_upload(visitor):
    """Does a file come through, there and back?"""
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', visitor.home().text)[1]
    path = f"/files/doctor-{secrets.token_hex(8)}"
    headers = {"X-CSRFToken": token, "Origin": visitor.origin, "Accept": "application/json"}
    started = time.monotonic()
    answer = visitor.ask("PUT", f"{path}?offset=0&name=doctor", bytes(UPLOAD_BYTES), {**headers, "Content-Type": "application/octet-stream"})
    if answer.status != 201:
        error = answer.json().get("error", {}).get("message", f"the answer is {answer.status}")
        yield Finding(f"A file of 2 MB is refused: {error}", "Let the proxy take bodies of MAX_FILE_BYTES (`client_max_body_size` in nginx) and PUT; if the"
                      " server has no room, its disk is full, or FILE_BYTES is reached.")
        return
    fetched = visitor.ask("GET", f"/files/{answer.json()['id']}")
    visitor.ask("DELETE", path, headers=headers)
    if fetched.status != 200 or len(fetched.text) != UPLOAD_BYTES:
        yield Finding("A file was taken in and cannot be fetched.", "With several processes all need the same INSTANCE_PATH, or a FILES_URL.")
        return
    yield Finding(f"A file of 2 MB goes there and back in {(time.monotonic() - started) * 1000:.0f} ms.")
