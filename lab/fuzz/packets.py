"""Socket.IO packets, Engine.IO packets and WebSocket frames, valid and malformed."""
import json

from hypothesis import strategies as st

from .values import CLIENT_ID, PEER_ID, json_texts, mutated, texts

EVENTS = {"sendMessage": {"clientId": f'"{CLIENT_ID}"', "receiverId": PEER_ID, "message": '"bonjour"'},
          "changeMessage": {"clientId": f'"{CLIENT_ID}"', "conversationId": "1", "seq": "1", "react": '"👍"', "on": "true"},
          "markRead": {"userId": PEER_ID, "seq": "1"}, "markDelivered": {"userId": PEER_ID, "seq": "1"}, "typing": {"userId": PEER_ID},
          "markUnread": {"userId": PEER_ID, "seq": "1"}}
ODD_EVENTS = ("connect", "disconnect", "*", "message", "nothing", "", "__proto__", "receiveMessage", "\ud800")
NAMESPACES = ("", "/,", "/x,", "/x", "/?a=b,", "//,", "/" + "n" * 200 + ",", "/\ud800,")
ACK_IDS = ("", "0", "7", "٤", "9" * 30, "9" * 101, "-1")
ATTACHMENTS = ("", "0-", "1-", "11-", "9" * 12 + "-", "-")
ODD_ENGINE = ("", "0", "1", "2", "2probe", "3", "3probe", "4", "5", "5x", "6", "9", "b", "bAAAA", "b=", "x", "45", "4²", "²", "٤2[]", "40", "41", "40{", "d=4", "4null", "4[]", "4{}")
OPCODES = {"continuation": 0, "text": 1, "binary": 2, "reserved": 3, "close": 8, "ping": 9, "pong": 10, "control": 11}


@st.composite
def events(draw):
    """Return a Socket.IO event without its type: namespace, number, name and payload."""
    if draw(st.integers(0, 4)):
        name = draw(st.sampled_from(sorted(EVENTS)))
        content = f'[{json.dumps(name)},{draw(mutated(EVENTS[name]))}]'
    else:
        name = draw(st.one_of(st.sampled_from([*EVENTS, *ODD_EVENTS]).map(json.dumps), json_texts))
        content = "[" + ",".join([name, *draw(st.lists(json_texts, max_size=3))]) + "]"
    odd = draw(st.integers(0, 9)) == 0
    number = draw(st.sampled_from(ACK_IDS)) if odd else draw(st.sampled_from(("", "1", "2")))
    return (draw(st.sampled_from(NAMESPACES)) if odd else "") + number + content


@st.composite
def socket_packets(draw):
    """Return a Socket.IO packet."""
    kind = draw(st.sampled_from(["2"] * 6 + list("0123456789")))
    if kind == "2":
        return kind + draw(events())
    return (kind + (draw(st.sampled_from(ATTACHMENTS)) if kind in "56" else "") + draw(st.sampled_from(NAMESPACES)) + draw(st.sampled_from(ACK_IDS))
            + draw(st.one_of(st.just(""), json_texts, texts)))


engine_packets = st.one_of(socket_packets().map("4".__add__), socket_packets().map("4".__add__), st.sampled_from(ODD_ENGINE), texts)
bodies = st.one_of(st.lists(engine_packets, min_size=1, max_size=4).map("\x1e".join), st.lists(st.sampled_from(ODD_ENGINE), max_size=6).map("\x1e".join),
                   st.sampled_from(["\x1e" * 20, "\x1e".join(["40"] * 300), "\x1e".join(["3"] * 501), "4" + "x" * 65536, "d=4%5B", "42" + "[" * 60_000]))


@st.composite
def frames(draw):
    """Return a WebSocket frame as a step. `announced` is the length in its header if that is not the real one."""
    step = {"do": "frame", "fin": 1, "rsv": 0, "opcode": 1, "masked": True, "wide": 0, "announced": None, "text": draw(engine_packets)}
    for name, odd in {"fin": st.just(0), "rsv": st.integers(1, 7), "opcode": st.sampled_from(sorted(OPCODES.values())), "masked": st.just(False),
                      "wide": st.sampled_from((126, 127)), "announced": st.sampled_from((0, 1, 126, 65535, 65537, 2 ** 32, 2 ** 63, 2 ** 64 - 1))}.items():
        if draw(st.integers(0, 11)) == 0:
            step[name] = draw(odd)
    if step["opcode"] == OPCODES["close"]:
        code = draw(st.sampled_from((0, 1, 999, 1000, 1005, 1006, 1015, 2999, 3000, 4999, 65535)))
        step["text"] = draw(st.sampled_from(("", "x", "".join(map(byte, code.to_bytes(2, "big"))) + draw(st.sampled_from(("", "bye", "\udcff", "x" * 200))))))
    elif step["opcode"] >= 8 and draw(st.booleans()):
        step["text"] = step["text"][:60]
    return step


def byte(value):
    """Return the character that stands for a byte; see values.py."""
    return chr(value) if value < 128 else chr(0xDC00 + value)
