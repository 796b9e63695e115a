"""Avatars: a face for each user, drawn from the user's id. The faces of a list come on one sheet."""
import functools
import re
from urllib.parse import quote

from flask import Blueprint, Response, abort
from multiavatar.multiavatar import multiavatar

from .headers import FOR_EVER

MAX_CACHED_DRAWINGS = 1000  # of 5 KB each
MAX_FACES = 25              # on one sheet: as many as a list shows without much scrolling
SIZE = 231                  # width and height of a drawing in its own units
ALONE = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE}">'

avatars = Blueprint("avatars", __name__)


@functools.lru_cache(MAX_CACHED_DRAWINGS)
def draw(user_id):
    """Return the SVG of a user id: always the same face, without its bright background."""
    return multiavatar(str(user_id), True, None)


def inline(user_id):
    """Return the avatar as a data: URL, for the user's own one, which is on every page: it saves a request."""
    return "data:image/svg+xml," + quote(draw(user_id), safe=" =:/,;()'")


def sheet(user_ids):
    """Return one SVG with several faces, one below the other. The fragment `#u7` shows only that of user 7."""
    faces = "".join(f'<view id="u{user_id}" viewBox="0 {SIZE * n} {SIZE} {SIZE}"/>'
                    + draw(user_id).replace(ALONE, f'<svg y="{SIZE * n}" width="{SIZE}" height="{SIZE}">', 1)
                    for n, user_id in enumerate(user_ids))
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE * len(user_ids)}">{faces}</svg>'


def addresses(user_ids):
    """Return {user id: URL of the face}, so that a list needs one request for MAX_FACES faces."""
    found = {}
    for start in range(0, len(user_ids), MAX_FACES):
        together = sorted(user_ids[start:start + MAX_FACES])       # in one order, so that the same users have the same URL
        names = "-".join(str(user_id) for user_id in together)
        found.update({user_id: f"/avatars/{names}.svg" + f"#u{user_id}" * (len(together) > 1) for user_id in together})
    return found


@avatars.get("/avatars/<ids>.svg")
def show_sheet(ids):
    user_ids = re.findall(r"\d+", ids)
    if not re.fullmatch(r"\d{1,10}(-\d{1,10})+", ids) or len(user_ids) > MAX_FACES:
        abort(404)
    return drawn(sheet([int(user_id) for user_id in user_ids]))


@avatars.get("/avatars/<int:user_id>.svg")
def show(user_id):
    return drawn(draw(user_id))


def drawn(svg):
    return Response(svg, mimetype="image/svg+xml", headers={"Cache-Control": FOR_EVER})
