"""ProfileController: what a user may change about themselves. Today that is the face."""
from flask import Blueprint, redirect, render_template, request
from flask_babel import gettext as _
from flask_login import current_user, login_required

from ..errors import Invalid
from ..web.avatars import FACES, INITIALS, address, drawn_as


class ProfileController:
    """The page on which a user chooses a face."""

    def __init__(self, database):
        self.database = database

    def blueprint(self):
        profile = Blueprint("profile", __name__)
        profile.add_url_rule("/face", "choose_face", login_required(self.choose_face), methods=["GET", "POST"])
        return profile

    def choose_face(self):
        """Show the faces to choose from, or store the chosen one and lead back to the chat."""
        if request.method == "GET":
            faces = [(face, address(current_user.id, drawn_as(face, current_user.username))) for face in (*range(FACES), INITIALS)]
            return render_template("auth/face.html", faces=faces, initials=INITIALS)
        face = request.form.get("face", "")
        if not (face.isascii() and face.isdigit() and len(face) <= 3 and (int(face) < FACES or int(face) == INITIALS)):
            raise Invalid(_("Choose one of the faces."))
        current_user.choose_face(self.database, int(face))
        return redirect("/")
