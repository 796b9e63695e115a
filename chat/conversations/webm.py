"""Reads the track types of a WebM.

An element has an id, a length and content, which may be elements. Ids and lengths have a variable size, given by their first byte.
"""

SEGMENT, TRACKS, TRACK, TRACK_TYPE = 0x18538067, 0x1654AE6B, 0xAE, 0x83
VIDEO = b"\x01"
MAX_ELEMENTS = 1000         # that are looked at


def has_video(head):
    """Tell whether a file that begins with these bytes has a track of video, or whether they do not say which tracks it has."""
    types = [head[start:end].lstrip(b"\0") for start, end in _inside(head, [(0, len(head))], SEGMENT, TRACKS, TRACK, TRACK_TYPE)]
    return VIDEO in types or not types


def _inside(head, places, *path):
    """Return where the elements are to which a path of ids leads."""
    for wanted in path:
        places = [(start, end) for place in places for found, start, end in _elements(head, *place) if found == wanted]
    return places


def _elements(head, at, end):
    """Yield (id, start, end) of the elements in a place. One whose length is not known, as that of a live recording, goes on to its end."""
    for _count in range(MAX_ELEMENTS):
        found, start = _number(head, at, keeps_mark=True)
        length, start = _number(head, start)
        if found is None or length is None or start > end:
            return
        at = end if length == (1 << 7 * (start - at - _width(found))) - 1 else start + length
        yield found, start, min(at, end)


def _width(number):
    return (number.bit_length() + 7) // 8


def _number(head, at, keeps_mark=False):
    """Return (a number whose first bits say how many bytes it has, where it ends), or (None, …) where there is none."""
    first = head[at] if at < len(head) else 0
    width = 9 - first.bit_length()
    if not first or at + width > len(head):
        return None, at
    number = int.from_bytes(head[at:at + width], "big")
    return (number if keeps_mark else number & (1 << 7 * width) - 1), at + width
