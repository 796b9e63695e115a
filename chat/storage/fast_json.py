"""JSON by orjson, which is twenty times faster than the standard library. Where it has no wheel, the standard library does it."""
import json

MAX_NESTING = 1000      # levels of lists and objects; orjson has a limit too, and Python had one until 3.14


def loads_leniently(text):
    """Parse JSON with the standard library, which accepts half a surrogate pair. Raises ValueError, also for too deep nesting."""
    try:
        value = json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    level = [value]
    for _depth in range(MAX_NESTING):
        containers = [each for each in level if isinstance(each, (dict, list))]
        if not containers:
            return value
        level = [inner for each in containers for inner in (each.values() if isinstance(each, dict) else each)]
    raise ValueError("nested too deeply")


try:
    from orjson import dumps, loads
except ImportError:
    loads = loads_leniently

    def dumps(value):
        """Return JSON as bytes."""
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
