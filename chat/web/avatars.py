"""Avatars: a face for each user, drawn on this machine; those of a list come together on a sheet.

An address says all that is drawn, so it is cached for ever: `/avatars/7.svg` is the face made of id 7, `?face=3` another one,
and `?face=-AL` the letters AL. Which of them somebody has chosen is known to the page that names the address.
"""
import functools
import re
from urllib.parse import quote

import regex
from flask import Blueprint, Response, abort, request
from markupsafe import escape
from multiavatar.multiavatar import multiavatar

from .headers import FOR_EVER

MAX_CACHED = 1000           # drawings of 5 KB each
MAX_ON_SHEET = 25           # faces: as many as a list shows without scrolling far
SIZE = 231                  # of a drawing's own units, wide and high
ALONE = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE}">'
FACES = 11                  # to choose from; 0 is the one that everybody has at first
INITIALS = 100              # stored instead of a face
MAX_LETTERS_LENGTH = 16     # code points: two letters with their accents
TINTS = ("#4f46e5", "#0f766e", "#b45309", "#be185d", "#4d7c0f", "#0369a1", "#7e22ce", "#b91c1c")    # white on each: 4.5 : 1 and more
LETTERS = "-"               # what letters begin with in an address: some names are numbers


avatars = Blueprint("avatars", __name__)


@avatars.get("/avatars/<ids>.svg")
def show_sheet(ids):
    user_ids, faces = re.findall(r"\d+", ids), request.args.get("faces", "").split(",")
    if not re.fullmatch(r"\d{1,10}(-\d{1,10})+", ids) or len(user_ids) > MAX_ON_SHEET or len(faces) > len(user_ids):
        abort(404)
    faces += [""] * (len(user_ids) - len(faces))
    return _answer(sheet([(int(user_id), _checked(face)) for user_id, face in zip(user_ids, faces)]))


@avatars.get("/avatars/<int:user_id>.svg")
def show(user_id):
    return _answer(draw(user_id, _checked(request.args.get("face", ""))))


def face_parameter(face, username):
    """Return the `face` parameter of an avatar's URL: empty for the default face, its number, or `-` and the initials of the name."""
    if face == INITIALS:
        return LETTERS + initials(username)
    return str(face) if 0 < face < FACES else ""


def initials(username):
    """Return the first letters of the first two words, as a reader sees them."""
    words = [word for word in regex.split(r"[\s._-]+", username) if word]
    letters = "".join(regex.match(r"\X", word)[0] for word in words[:2]).upper()
    return "".join(filter(str.isprintable, letters))[:MAX_LETTERS_LENGTH]


@functools.lru_cache(MAX_CACHED)
def draw(user_id, face=""):
    """Return the SVG of a user id: the same for ever, without the loud background of the library."""
    if not face.startswith(LETTERS):
        return multiavatar(f"{user_id}/{face}" if face else str(user_id), True, None)
    return (f'{ALONE}<rect width="{SIZE}" height="{SIZE}" fill="{TINTS[user_id % len(TINTS)]}"/><text x="50%" y="50%" dy="0.35em" fill="#fff"'
            f' font-family="system-ui, sans-serif" font-size="{96 if len(face) < 4 else 64}" font-weight="600" text-anchor="middle">{escape(face[1:])}</text></svg>')


def inline(user):
    """Return a user's avatar as a data: URL, for the one that stands on every page: a request less at the first view."""
    return "data:image/svg+xml," + quote(draw(user.id, user.face_parameter), safe=" =:/,;()'")


def sheet(faces):
    """Return one SVG of several (user id, face), one below the other; the fragment `#u7` shows that of user 7 alone."""
    drawings = "".join(f'<view id="u{user_id}" viewBox="0 {SIZE * n} {SIZE} {SIZE}"/>'
                       + draw(user_id, face).replace(ALONE, f'<svg y="{SIZE * n}" width="{SIZE}" height="{SIZE}">', 1)
                       for n, (user_id, face) in enumerate(faces))
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE * len(faces)}">{drawings}</svg>'


def avatar_url(user_id, face=""):
    """Return the URL of one avatar."""
    return f"/avatars/{user_id}.svg" + (f"?face={quote(face)}" if face else "")


def avatar_urls(users):
    """Return {user id: URL of the avatar} for the users of a list: a request for 25 of them and not for each."""
    found, users = {}, list(users)
    for start in range(0, len(users), MAX_ON_SHEET):
        together = sorted(users[start:start + MAX_ON_SHEET], key=lambda user: user.id)      # the same users, however they are sorted
        names = "-".join(str(user.id) for user in together)
        faces = ",".join(quote(user.face_parameter) for user in together)
        query = f"?faces={faces}" if faces.strip(",") else ""
        found.update({user.id: f"/avatars/{names}.svg{query}#u{user.id}" if len(together) > 1 else avatar_url(user.id, user.face_parameter)
                      for user in together})
    return found


def _checked(face):
    """Return a face that came in an address. Aborts with 404 if it is none."""
    is_number = re.fullmatch("[1-9][0-9]?", face) and int(face) < FACES
    is_letters = face.startswith(LETTERS) and len(face) <= 1 + MAX_LETTERS_LENGTH and face.isprintable()
    if face and not is_number and not is_letters:
        abort(404)
    return face


def _answer(svg):
    return Response(svg, mimetype="image/svg+xml", headers={"Cache-Control": FOR_EVER})
