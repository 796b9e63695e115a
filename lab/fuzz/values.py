"""Values for the dialogues: JSON of the right type and of every other type, and texts that are hard to process."""
import json

from hypothesis import strategies as st

PEER_ID, OWN_ID, PEER, CLIENT_ID, TOKEN, SID = "<<peerId>>", "<<ownId>>", "<<peer>>", "<<clientId>>", "<<token>>", "<<sid>>"
FIELDS = ("clientId", "receiverId", "message", "userId", "seq", "username", "password", "next", "csrf_token")

# Lone surrogates stand for themselves; \udc80 to \udcff stand for the bytes 80 to ff, which are not UTF-8.
ODD_TEXTS = (
    "", " ", "\0", "\n", "\r\nX: y", "\ud800", "\udfff\ud800", "\udcff\udcfe", "\udced\udca0\udc80", "\u202e", "\ufeff", "é", "\U0001F600", "\u0344" * 300,
    "<b>", "%", "%00", "%ff", "%e9" * 40, "..%2f", "%s%n", "{}", "'; --", "\\", "\"", "/", "//x", "\x1e", "\x7f", "²", "٤", "-1", "0", "true", "null",
    "__proto__", "_placeholder", "x" * 65, "x" * 4001, "x" * 9000, "9" * 30, "9" * 5000, "a,b;q=9," * 300, "a=b;" * 500)

KINDS = ("null", "true", "0", "-1", "1.5", '""', '"x"', "[]", "{}", "[1]", '{"a":1}')      # one value of each type

# JSON that Python's own encoder never writes.
ODD_JSON = ("NaN", "-Infinity", "1e999", "-0", "1.0", "9" * 400, "9" * 5000, '"\\ud800"', '"\\udc00\\ud800"', '{"a":1,"a":2}', "[" * 3000, '{"a":' * 2000,
            "[" * 900 + "]" * 900, "tru", "[1,]", "'x'", "{}x", '"\\u0000"', "\ufeff1", "[[],{}]", '{"_placeholder":true,"num":0}')

texts = st.one_of(st.sampled_from(ODD_TEXTS), st.text(max_size=30))
numbers = st.one_of(st.integers(-3, 3), st.sampled_from([2 ** 31, 2 ** 53, 2 ** 63, 2 ** 64, -2 ** 63, 10 ** 30]))
scalars = st.one_of(st.none(), st.booleans(), numbers, st.floats(), texts)
objects = st.recursive(scalars, lambda inner: st.one_of(
    st.lists(inner, max_size=4), st.dictionaries(st.one_of(st.sampled_from(FIELDS), texts), inner, max_size=4)), max_leaves=8)
json_texts = st.one_of(st.sampled_from(KINDS), st.sampled_from(KINDS), objects.map(json.dumps), st.sampled_from(ODD_JSON))


def raw_json(fields):
    """Return the JSON text of an object whose values are JSON texts already."""
    return "{" + ",".join(f"{json.dumps(name)}:{value}" for name, value in fields.items()) + "}"


@st.composite
def mutated(draw, fields):
    """Return an object with such fields as JSON. Usually one field has another value, is missing, or is added."""
    fields = dict(fields)
    what = draw(st.sampled_from(("nothing", "value", "value", "value", "missing", "more", "all")))
    if what == "value" and fields:
        fields[draw(st.sampled_from(sorted(fields)))] = draw(json_texts)
    elif what == "missing" and fields:
        del fields[draw(st.sampled_from(sorted(fields)))]
    elif what == "more":
        fields[draw(st.one_of(st.sampled_from(FIELDS), texts))] = draw(json_texts)
    elif what == "all":
        return draw(json_texts)
    return raw_json(fields)
