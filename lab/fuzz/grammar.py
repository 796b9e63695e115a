"""Dialogues: lists of steps that a client takes, as JSON. Most of them are valid dialogues with a few edits."""
import copy
import json

from hypothesis import strategies as st

from .packets import EVENTS, bodies, engine_packets, events, frames
from .values import CLIENT_ID, ODD_JSON, PEER, SID, TOKEN, raw_json, mutated, texts

WHO = ("stranger", "member", "newcomer")        # without a session; logged in before; logged in for this dialogue only
PATHS = ("/", "/login", "/register", "/users", f"/chat/{PEER}", f"/messages/{PEER}", f"/messages/{PEER}/1", "/avatars/1.svg", "/avatars/1-2.svg", "/healthz",
         "/readyz", "/metrics", "/static/x/app.css", "/socket.io/", "/socket.iox", "/nowhere", "*", "", "http://[/", "//x/", "/avatars/" + "9" * 5000 + ".svg")
METHODS = ("GET",) * 6 + ("POST",) * 12 + ("HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get", "X" * 40, "")
QUERIES = ("q", "after", "before", "limit", "people_after", "next", "sid", "EIO", "transport", "j", "t")
HEADERS = ("Host", "Cookie", "Accept", "Accept-Language", "Accept-Encoding", "Content-Type", "Content-Length", "Transfer-Encoding", "Connection", "Upgrade", "Origin",
           "Referer", "X-CSRFToken", "Authorization", "Expect", "Range", "If-None-Match", "If-Modified-Since", "X-Forwarded-For", "X-Forwarded-Proto", "Forwarded",
           "Sec-WebSocket-Key", "Sec-WebSocket-Version", "Sec-WebSocket-Key1", "Sec-WebSocket-Key2", "Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions", "User-Agent")
HEADER_VALUES = ("application/json", "text/html;q=0.5, application/json", "fr", "gzip", "chunked", "gzip, chunked", "close", "keep-alive", "Upgrade", "websocket", "h2c",
                 "100-continue", "bytes=0-1", "[::1", "a:b", "127.0.0.1:99999999", "session=<<cookie>>", "session=x", 'session="\\777\\"; x', "13", "8", "1 2 3",
                 "permessage-deflate; server_max_window_bits=x", "5, 6", "+5", "0x5", "1" * 30, "null", "https://<<host>>", "http://[", "multipart/form-data",
                 "multipart/form-data; boundary=b", "application/x-www-form-urlencoded; charset=utf-7", "a/b," * 400, "a-b," * 400)
FORM, JSON, PARTS, TEXT = "application/x-www-form-urlencoded", "application/json", "multipart/form-data; boundary=b", "text/plain"

form_fields = st.dictionaries(st.one_of(st.sampled_from(("username", "password", "next", "message", "clientId", "csrf_token")), texts), texts, max_size=5)
queries = st.lists(st.tuples(st.one_of(st.sampled_from(QUERIES), texts), texts), max_size=3).map(lambda pairs: "&".join(f"{a}={b}" for a, b in pairs))


def parts(fields):
    """Return a multipart body; every second field is a file."""
    named = [f'--b\r\nContent-Disposition: form-data; name="{name}"' + '; filename="f"' * (number % 2) + f"\r\n\r\n{value}\r\n"
             for number, (name, value) in enumerate(fields.items(), 1)]
    return "".join(named) + "--b--\r\n"


ACCOUNT, MESSAGE = {"username": f'"{PEER}"', "password": '"wrong horse 9 battery"', "next": '"/"'}, {"message": '"bonjour"', "clientId": f'"{CLIENT_ID}"'}
HEAVY = st.sampled_from([
    (FORM, "a=&" * 87_000), (FORM, "username=" + "%e9" * 87_000), (FORM, "&" * 262_000), (FORM, "a" * 262_145), (JSON, "[" * 100_000), (JSON, "9" * 200_000),
    (PARTS, parts({f"f{n}": "x" for n in range(900)})), (PARTS, "--b\r\n" + "a:b\r\n" * 50_000 + "\r\nx\r\n--b--\r\n"), (PARTS, "--b")])
forms = st.one_of(
    st.tuples(st.just(FORM), form_fields.map(lambda fields: "&".join(f"{a}={b}" for a, b in fields.items()))),
    st.tuples(st.just(PARTS), form_fields.map(parts)), HEAVY, st.tuples(st.one_of(st.sampled_from((JSON, TEXT)), texts), texts))
accounts, messages = [st.booleans().flatmap(lambda is_json, known=known: st.tuples(st.just(JSON), mutated(known)) if is_json else forms)
                      for known in (ACCOUNT, MESSAGE)]
POSTED = {"/login": accounts, "/register": accounts, f"/messages/{PEER}": messages, "/logout": forms, "/socket.io/?EIO=4&transport=polling": forms}


@st.composite
def requests(draw):
    """Return an HTTP request as a step. `length` is the Content-Length, "right" means the real one; `cut` is how many bytes are sent."""
    method, path = draw(st.sampled_from(METHODS)), draw(st.sampled_from(sorted(POSTED)))
    content_type, body = draw(POSTED[path])
    if method != "POST" or draw(st.integers(0, 4)) == 0:
        path = draw(st.sampled_from(PATHS)) + draw(st.one_of(st.just(""), texts, queries.map("?".__add__)))
    headers = [["Host", "<<host>>"], ["X-CSRFToken", TOKEN], ["Cookie", "session=<<cookie>>"]]
    headers += [] if draw(st.booleans()) else draw(st.lists(st.tuples(st.sampled_from(HEADERS), st.one_of(st.sampled_from(HEADER_VALUES), texts)).map(list), max_size=3))
    if method not in ("GET", "HEAD"):
        headers.append(["Content-Type", content_type])
    rare = draw(st.integers(0, 19))
    return {"do": "request", "method": method, "path": path, "version": "HTTP/9.9" if rare == 1 else "" if rare == 2 else "HTTP/1.1", "headers": headers,
            "body": "" if method in ("GET", "HEAD") else body, "length": draw(st.sampled_from(("right",) * 24 + (None, "0", "5", "-1", "x", "9" * 13, "9" * 5000))),
            "cut": draw(st.integers(0, 200)) if rare == 3 else None}


def send(packet):
    return {"do": "post", "text": packet}


def frame(packet):
    return {"do": "frame", "fin": 1, "rsv": 0, "opcode": 1, "masked": True, "wide": 0, "announced": None, "text": packet}


EVENT = [f"421{json.dumps([name])[:-1]},{raw_json(payload)}]" for name, payload in EVENTS.items()]
OPEN, POLL, READ, CLOSE = {"do": "open", "query": ""}, {"do": "poll"}, {"do": "read"}, {"do": "close"}
SOCKET, UPGRADE = {"do": "websocket", "query": "", "headers": []}, {"do": "websocket", "query": f"&sid={SID}", "headers": []}
VALID = (
    [OPEN, send("40"), POLL, *map(send, EVENT), POLL, send("41"), POLL],
    [OPEN, send("40"), POLL, UPGRADE, frame("2probe"), READ, frame("5"), *map(frame, EVENT), READ, CLOSE],
    [SOCKET, READ, frame("40"), READ, *map(frame, EVENT), READ, frame("41"), CLOSE],
    [SOCKET, frame("40"), READ, {"do": "logout"}, *map(frame, EVENT), READ],
    [OPEN, send("40"), {"do": "logout"}, POLL, *map(send, EVENT), POLL],
    [OPEN, send("40"), POLL, OPEN, send("40"), POLL, send(EVENT[0]), POLL],
)
CONNECTED = (([OPEN, send("40"), POLL], send, POLL), ([SOCKET, frame("40"), READ], frame, READ),
             ([OPEN, send("40"), POLL, UPGRADE, frame("2probe"), READ, frame("5")], frame, READ))
headers = st.lists(st.tuples(st.sampled_from(HEADERS), st.one_of(st.sampled_from(HEADER_VALUES), texts, st.none())).map(list), min_size=1, max_size=2)
odd_steps = st.one_of(
    frames(), bodies.map(send), requests(), st.just(POLL), st.just(CLOSE), st.just(READ), st.just(OPEN),
    st.one_of(queries, st.sampled_from(("&sid=x", f"&sid={SID}", "&transport=polling", "&j=1", f"&sid={SID}&sid=x"))).map(lambda query: {"do": "open", "query": query}),
    st.builds(lambda base, more: {**base, "headers": more}, st.sampled_from((SOCKET, UPGRADE)), headers),
    st.builds(lambda base, query: {**base, "query": base["query"] + "&" + query}, st.sampled_from((SOCKET, UPGRADE)), queries))


@st.composite
def edited(draw, steps):
    """Return the steps after some edits: steps are removed, doubled, moved, replaced or inserted, or their text is changed."""
    steps = copy.deepcopy(steps)
    for _n in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(steps)))
        what = draw(st.sampled_from(("insert", "insert", "text", "text", "leave out", "double", "move", "replace")))
        if what == "insert" or at == len(steps):
            steps.insert(at, draw(odd_steps))
        elif what == "leave out":
            del steps[at]
        elif what == "double":
            steps.insert(at, copy.deepcopy(steps[at]))
        elif what == "move":
            steps.insert(draw(st.integers(0, len(steps))), steps.pop(at))
        elif what == "replace":
            steps[at] = draw(odd_steps)
        elif "text" in steps[at]:
            text = steps[at]["text"]
            start, length = draw(st.integers(0, len(text))), draw(st.sampled_from((0, 1, 5, len(text))))
            steps[at]["text"] = text[:start] + draw(st.one_of(texts, st.sampled_from(ODD_JSON), engine_packets)) + text[start + length:]
    return steps


@st.composite
def deep(draw):
    """Return an accepted connection, and packets on it: mostly events with a wrong payload, some packets that are no events."""
    begin, send_step, receive_step = draw(st.sampled_from(CONNECTED))
    packets = st.integers(0, 9).flatmap(lambda rare: engine_packets if rare == 0 else events().map("42".__add__))
    said = [step for packet in draw(st.lists(packets, min_size=5, max_size=15)) for step in (send_step(packet), receive_step)[:draw(st.integers(1, 2))]]
    if draw(st.integers(0, 9)) == 0:
        said.insert(draw(st.integers(0, len(said))), draw(odd_steps))
    return [*begin, *said, send_step(draw(engine_packets)), receive_step]


steps = st.one_of(st.lists(requests(), min_size=1, max_size=4), st.sampled_from(VALID).flatmap(edited), deep(), deep())
dialogues = st.fixed_dictionaries({"who": st.sampled_from(("newcomer", *WHO)), "steps": steps})
