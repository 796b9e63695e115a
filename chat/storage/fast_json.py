"""JSON by orjson, which is twenty times faster than the standard library. Where it has no wheel, the standard library does it."""
import json
import re

# Levels of lists and objects. The standard library calls itself for each, up to Python's own limit. At that limit the garbage
# collector may come by, and no finalizer that it calls could run: so nothing that is nested so deeply is begun at all.
MAX_NESTING = 200
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"?|[\[{]|[\]}]', re.DOTALL)     # a text, or a bracket


def loads_leniently(text):
    """Parse JSON with the standard library, which accepts half a surrogate pair. Raises ValueError, also for too deep nesting."""
    if not isinstance(text, str):
        text = bytes(text).decode()
    if _is_nested_deeper(text, MAX_NESTING):
        raise ValueError("nested too deeply")
    return json.loads(text)


def _is_nested_deeper(text, most):
    if text.count("[") + text.count("{") <= most:
        return False
    depth = 0
    for found in TOKEN.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(found[0], 0)
        if depth > most:
            return True
    return False


try:
    from orjson import dumps, loads
except ImportError:
    loads = loads_leniently

    def dumps(value):
        """Return JSON as bytes."""
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
