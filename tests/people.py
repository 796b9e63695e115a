"""The cast: people with a browser's cookies, and tabs with a live connection, both over the real network."""
import functools
import itertools
import queue
import re
import threading
import uuid

import requests
import socketio

PASSWORD = "correct horse 9 battery"
ANSWER_SECONDS = 30     # after which nothing more is expected, on a machine that does other work as well
_numbers = itertools.count(1)


class Person:
    """Somebody with a cookie jar, talking to one server by HTTP."""

    def __init__(self, url, username=None):
        self.url = url
        self.username = username or f"person{next(_numbers)}x{uuid.uuid4().hex[:6]}"
        self.http = requests.Session()
        self.http.headers["Accept"] = "text/html"
        self.tabs = []

    def get(self, path, **options):
        return self.http.get(self.url + path, timeout=ANSWER_SECONDS, **{"allow_redirects": False, **options})

    def post(self, path, data=None, **options):
        return self.http.post(self.url + path, data, timeout=ANSWER_SECONDS, **{"allow_redirects": False, **options})

    def json(self, path):
        return self.get(path, headers={"Accept": "application/json"}).json()

    def token(self, path):
        """Return the form token of a page."""
        return re.search(r'name="csrf_token"[^>]*value="([^"]+)"', self.get(path).text).group(1)

    def register(self, password=PASSWORD, **fields):
        return self._submit("/register", password, **fields)

    def log_in(self, password=PASSWORD, **fields):
        return self._submit("/login", password, **fields)

    def log_out(self):
        return self.post("/logout", {"csrf_token": self.token("/")})

    def _submit(self, path, password, **fields):
        return self.post(path, {"username": self.username, "password": password, "csrf_token": self.token(path), **fields})

    @property
    def id(self):
        """The own user id, as the pages tell it to the browser."""
        if not hasattr(self, "_id"):
            self._id = int(re.search(r'data-user-id="(\d+)"', self.get("/").text).group(1))
        return self._id

    def send(self, to, text, client_id=None):
        """Send over HTTP, as JSON; return the answer."""
        return self.post(f"/messages/{to.username}", json={"message": text, "clientId": client_id or new_client_id()},
                         headers={"X-CSRFToken": self.token("/")})

    def ask(self, path, **fields):
        """Post JSON; return the answer."""
        return self.post(path, json=fields, headers={"X-CSRFToken": self.token("/")})

    def make_room(self, name="a room", *members, **fields):
        """Make a room with these members; return its id."""
        room_id = self.ask("/rooms", name=name, **fields).json()["id"]
        for member in members:
            assert self.ask(f"/rooms/{room_id}/members", username=member.username).status_code == 200
        return room_id

    def room(self, room_id):
        """Return R, as this person sees it."""
        return self.json(f"/rooms/{room_id}")

    def history(self, other, query=""):
        return self.json(f"/messages/{other.username}{query}")

    def cookie(self):
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.http.cookies)

    def tab(self, **options):
        """Open a live connection."""
        tab = Tab(self, **options)
        self.tabs.append(tab)
        return tab

    def leave(self):
        for tab in self.tabs:
            tab.close()
        self.http.close()


class Tab:
    """One live connection; `wait_for(event)` returns the next payload of an event that fits."""

    def __init__(self, person, transports=None, connect=True, auth=None):
        self.person = person
        self.http = session_of(person) if connect else None
        self.client = socketio.Client(reconnection=False, http_session=self.http)
        in_order(self.client)
        end_at_once(self.client)
        self.events = queue.Queue()
        self.refusals = queue.Queue()
        self.ended = threading.Event()
        for event in ("receiveMessage", "updateOnlineUsers", "messagesRead", "typing", "conversationChanged", "conversationLeft",
                      "messageChanged", "markedUnread"):
            self.client.on(event, self._collector(event))
        self.client.on("connect_error", self.refusals.put)
        self.client.on("disconnect", lambda *_reason: self.ended.set())
        if connect:
            self.client.connect(person.url, auth=auth, transports=transports, wait_timeout=ANSWER_SECONDS)
            if self.client.transport() == "websocket":
                # The client waits 3 s for a closing frame that its other thread has read already.
                self.client.eio.ws.close = functools.partial(self.client.eio.ws.close, timeout=0)

    def _collector(self, event):
        return lambda payload: self.events.put((event, payload))

    def wait_for(self, event, fits=lambda payload: True, timeout=ANSWER_SECONDS):
        """Return the next payload of that event for which `fits` is true. Raises queue.Empty where none comes."""
        while True:
            name, payload = self.events.get(timeout=timeout)
            if name == event and fits(payload):
                return payload

    def call(self, event, payload=None):
        """Emit and return the acknowledgement."""
        return self.client.call(event, payload, timeout=ANSWER_SECONDS)

    def send(self, to, text, client_id=None):
        return self.call("sendMessage", {"clientId": client_id or new_client_id(), "receiverId": to.id, "message": text})

    def change(self, message, client_id=None, **verb):
        """Change a message, M: `edit="text"`, `delete=True`, `react="👍", on=True` or `pin=True`. Return the acknowledgement."""
        return self.call("changeMessage", {"clientId": client_id or new_client_id(), "conversationId": message["conversationId"],
                                           "seq": message["seq"], **verb})

    def send_to_room(self, room_id, text, client_id=None):
        return self.call("sendMessage", {"clientId": client_id or new_client_id(), "conversationId": room_id, "message": text})

    def heard(self, *events):
        """Return what has come in by now of these events, by default messages, after a round trip that lets earlier ones arrive."""
        self.call("no such event")
        messages = []
        while not self.events.empty():
            name, payload = self.events.get()
            if name in (events or ("receiveMessage",)):
                messages.append(payload)
        return messages

    def close(self):
        if self.client.connected:
            self.client.disconnect()
        if self.client.eio.ws:
            self.client.eio.ws.shutdown()       # the library leaves it open where the server has ended the connection
        if self.http:
            self.http.close()


def in_order(client):
    """Have a client handle what it hears one after the other; the library starts a thread for each, and these overtake each other."""
    trigger = client.eio._trigger_event
    client.eio._trigger_event = lambda *arguments, **options: trigger(*arguments, **{**options, "run_async": False})


def end_at_once(client):
    """Have the thread that writes to the server end with the connection.

    The library asks it to, and then clears the queue, this request with it: if the thread is slower, it waits for another packet, 15
    seconds long. So does whoever waits for the thread.
    """
    clear = client.eio._reset

    def clear_and_ask_again():
        clear()
        client.eio.queue.put(None)
    client.eio._reset = clear_and_ask_again


def session_of(person, session=None):
    """Return a session with the person's cookies: given as a header, the library would send them with the first poll alone."""
    session = session or requests.Session()
    session.cookies.update(person.http.cookies)
    return session


def new_client_id():
    return uuid.uuid4().hex
