"""ProfileController: what a user may change about themselves. Today that is the face."""
from flask import Blueprint, redirect, render_template, request
from flask_babel import gettext as _
from flask_login import current_user, login_required

from ..budgets import FACES as FACES_BUDGET
from ..errors import Invalid, NotFound, RateLimited
from ..storage.schema import MAX_ID
from ..web.avatars import FACES, INITIALS, avatar_url, face_parameter
from ..web.languages import waiting_time
from .user import User


class ProfileController:
    """The page on which a user chooses a face."""

    def __init__(self, database, budgets):
        self.database = database
        self.budgets = budgets

    def blueprint(self):
        profile = Blueprint("profile", __name__)
        profile.add_url_rule("/face", "choose_face", login_required(self.choose_face), methods=["GET", "POST"])
        profile.add_url_rule("/face/<int:user_id>", "show_face", login_required(self.show_face))
        return profile

    def choose_face(self):
        """Show the faces to choose from, or store the chosen one and lead back to the chat."""
        if request.method != "POST":
            faces = [(face, avatar_url(current_user.id, face_parameter(face, current_user.username))) for face in (*range(FACES), INITIALS)]
            return render_template("auth/face.html", faces=faces, initials=INITIALS)
        face = request.form.get("face", "")
        if not (face.isascii() and face.isdigit() and len(face) <= 3 and (int(face) < FACES or int(face) == INITIALS)):
            raise Invalid(_("Choose one of the faces."))
        wait = self.budgets.hit(FACES_BUDGET, current_user.id)
        if wait:
            raise RateLimited(_("Too many attempts. Wait %(time)s, then try again.", time=waiting_time(wait)), retry_after=wait)
        current_user.choose_face(self.database, int(face))
        return redirect("/")

    def show_face(self, user_id):
        """Lead to the avatar that a user has chosen: for a page that knows the id alone. To who is logged in, for it tells initials."""
        user = User.by_id(self.database, user_id) if user_id <= MAX_ID else None
        if not user:
            raise NotFound(_("User not found."))
        return redirect(avatar_url(user.id, user.face_parameter))
