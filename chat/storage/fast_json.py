"""JSON by orjson, twenty times faster than the standard library's; by that one where a new Python has no wheel of orjson yet."""
import json

MAX_NESTING = 1000      # lists and objects inside each other; orjson has such a bound, and Python had one until 3.14


def loads_leniently(text):
    """Return what the standard library reads, half a surrogate pair too. Raises ValueError, for deep nesting as well."""
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
