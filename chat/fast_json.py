"""JSON by orjson, twenty times faster than the standard library's; by that one where a new Python has no wheel of orjson yet."""
import json

try:
    from orjson import dumps, loads
except ImportError:
    loads = json.loads

    def dumps(value):
        """Return JSON as bytes."""
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
