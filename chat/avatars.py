"""Avatars: a face for each person, drawn from the id on this machine."""
import functools
from urllib.parse import quote

from flask import Blueprint, Response
from multiavatar.multiavatar import multiavatar

from .headers import FOR_EVER

MOST_KEPT = 1000            # drawings of 5 KB each

avatars = Blueprint("avatars", __name__)


@functools.lru_cache(MOST_KEPT)
def draw(user_id):
    """Return the SVG of a user id: always the same face."""
    return multiavatar(str(user_id), None, None)


def inline(user_id):
    """Return the avatar as a data: address, for the one that stands on every page: a request less at the first view."""
    return "data:image/svg+xml," + quote(draw(user_id), safe=" =:/,;()'")


@avatars.get("/avatars/<int:user_id>.svg")
def show(user_id):
    return Response(draw(user_id), mimetype="image/svg+xml",
                    headers={"Cache-Control": FOR_EVER})
