"""JSON of a known form, by msgspec. Where it has no wheel, the standard library reads it, and the form is compared here."""
import functools
import json
import sys
import types
import typing

try:
    import msgspec
except ImportError:
    msgspec = None

from .fast_json import loads_leniently


fields_of = functools.cache(typing.get_type_hints)      # of a TypedDict


class Part(bytes):
    """A part of JSON that is passed on as it is, in place of msgspec.Raw."""


def fits(value, form):
    """Tell whether a value that JSON has is of a form: a type, a union, a list, a dict, a tuple, a TypedDict, or Part."""
    origin, parts = typing.get_origin(form), typing.get_args(form)
    if form is Part:
        return True
    if origin in (typing.Union, types.UnionType):
        return any(fits(value, part) for part in parts)
    if origin is list:
        return isinstance(value, list) and all(fits(item, parts[0]) for item in value)
    if origin is tuple:
        return isinstance(value, list) and len(value) == len(parts) and all(map(fits, value, parts))
    if origin is dict:
        return isinstance(value, dict) and all(fits(item, parts[1]) for item in value.values())
    if typing.is_typeddict(form):
        fields = fields_of(form)        # a newer process may send more of them
        return isinstance(value, dict) and all(name in value and fits(value[name], kind) for name, kind in fields.items())
    return value is None if form in (None, type(None)) else type(value) is form


def decode_by_hand(data, form=typing.Any):
    """Return the JSON value. Raises ValueError unless it is of that form."""
    value = loads_leniently(data)
    if form is typing.Any:
        return value
    if not fits(value, form):
        raise ValueError("JSON of another form")
    return _with_parts(value, form)


def _with_parts(value, form):
    """Return the value with a Part wherever its form has one."""
    if form is Part:
        return Part(encode_by_hand(value))
    kinds = typing.get_args(form)
    if typing.get_origin(form) is list and kinds[0] is Part:
        return [_with_parts(item, Part) for item in value]
    if typing.get_origin(form) is tuple:
        return tuple(_with_parts(item, kind) if kind is Part else item for item, kind in zip(value, kinds))
    return value


def encode_by_hand(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


class _Codec:
    """In place of an Encoder or a Decoder: Flask-Session makes some, and the chat replaces them by its own serializer."""

    def __init__(self, *_arguments):
        pass


def stand_in():
    """Return a module in place of msgspec, for Flask-Session, which imports it."""
    module = types.ModuleType("msgspec")
    codecs = types.SimpleNamespace(Encoder=_Codec, Decoder=_Codec)
    module.json, module.msgpack, module.DecodeError = codecs, codecs, ValueError
    return module


if msgspec:
    Raw, encode = msgspec.Raw, msgspec.json.encode
    DECODE_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

    def decode(data, form=typing.Any):
        """Return the JSON value. Raises one of DECODE_ERRORS unless it is of that form."""
        return msgspec.json.decode(data, type=form)
else:
    Raw, encode, decode = Part, encode_by_hand, decode_by_hand
    DECODE_ERRORS = (ValueError, RecursionError)
    sys.modules["msgspec"] = stand_in()
