"""AuthController, as in the report: register, login, logout."""
from flask import Blueprint, g, make_response, redirect, render_template, request, session
from flask import current_app as app
from flask_babel import gettext as _
from flask_login import current_user, login_user, logout_user
from flask_wtf.csrf import CSRFError, generate_csrf

from ..budgets import ACCOUNT_FAILURES, ADDRESS_FAILURES, ADDRESS_REGISTRATIONS, DEVICE_FAILURES, REGISTRATIONS
from ..errors import Duplicate, Invalid
from ..storage.limits import network_of
from ..web.error_handlers import refuse_csrf
from ..web.forms import is_of_another_session, safe_path
from ..web.sessions import forget_cookie, has_ended
from . import devices, name_index, passwords, usernames
from .account_form import AccountForm
from .clicks import Clicks
from .user import User



class AuthController:
    """Lets people in and out. `connections` closes the live connections of a session that ends."""

    def __init__(self, database, backends, runtime, connections, bcrypt_rounds):
        self.database = database
        self.sessions, self.budgets = backends.sessions, backends.budgets
        self.runtime = runtime
        self.connections = connections
        self.bcrypt_rounds = bcrypt_rounds
        self.clicks = Clicks()

    def blueprint(self):
        auth = Blueprint("auth", __name__)
        auth.add_url_rule("/register", "register", self.register, methods=["GET", "POST"])
        auth.add_url_rule("/login", "login", self.login, methods=["GET", "POST"])
        auth.add_url_rule("/logout", "logout", self.logout, methods=["POST"])
        auth.register_error_handler(CSRFError, self.show_form_again)
        return auth

    def register(self):
        """Create an account and log in to it, or show the form again with each reason beside its field."""
        if current_user.is_authenticated:
            return redirect("/")
        form = AccountForm()
        if not form.is_submitted():
            form.next.data = request.args.get("next", "")
            return self._page("register", form)
        wait = self._take_registration()
        if wait:
            return self._too_many("register", form, wait)
        name = self._checked(form.username, usernames.shown)
        self._checked(form.password, passwords.check)
        if form.username.errors or form.password.errors:
            self._note_taken(form, name)
            return self._page("register", form, status=400)
        click = session.get("csrf_token"), name, form.password.data
        is_repeated = self.clicks.note(*click)
        try:
            user = self._registered(name, form.password.data)
        except Duplicate:
            user = self._registered_by_the_first_click(name, form.password.data) if is_repeated else None
        if user:
            return self._enter(user, form)
        self.clicks.forget(*click)
        self._note_taken(form, name)
        return self._page("register", form, status=400)

    def _registered(self, name, password):
        if name_index.is_taken(self.database, name):
            raise Duplicate(name)
        hashed = self.runtime.run_cpu_bound_queued(passwords.hash_password, password, self.bcrypt_rounds)
        return User.register(self.database, name, hashed)

    def _registered_by_the_first_click(self, name, password):
        """Return the person whom the same form has just registered; the browser has dropped that answer."""
        user = User.named(self.database, name)
        is_theirs = user and self.runtime.run_cpu_bound_queued(passwords.matches, password, user.password, self.bcrypt_rounds)
        return user if is_theirs else None

    def _note_taken(self, form, name):
        if name and name_index.is_taken(self.database, name):
            form.username.errors = [_("This name is taken, or looks like one that is. Choose another.")]

    def login(self):
        """Open a session for the right name and password; one and the same answer for everything else."""
        if current_user.is_authenticated:
            return redirect(safe_path(request.args.get("next")))
        form = AccountForm()
        if not form.is_submitted():
            form.next.data = request.args.get("next", "")
            return self._page("login", form)
        username, password = form.username.data or "", form.password.data or ""
        user = User.named(self.database, username)
        wait, give_back = self._take_try(username, devices.known_device(user))
        if wait:
            return self._too_many("login", form, wait)
        if not self.runtime.run_cpu_bound(passwords.matches, password, user.password if user else None, self.bcrypt_rounds):
            return self._page("login", form, 401, _("That name and password do not go together."))
        give_back()
        return self._enter(user, form)

    def logout(self):
        """End the session in its store, clear the cookie and close the session's live sockets."""
        ended, user_id = session.sid, current_user.id if current_user.is_authenticated else None
        self.sessions.delete(ended)
        logout_user()
        session.clear()
        session.modified = False    # it is deleted above, and its cookie below
        self.connections.end_session(ended, user_id)
        answer = redirect("/login")
        forget_cookie(answer)
        return answer

    def show_form_again(self, error):
        """Answer a form whose token is another session's: it comes back with what was typed, or leads to where one is."""
        if not is_of_another_session():
            return refuse_csrf(error)
        if request.endpoint == "auth.logout":
            return (render_template("auth/logout.html"), 400) if current_user.is_authenticated else redirect("/login")
        form = AccountForm()
        if current_user.is_authenticated:       # in another tab, meanwhile
            return redirect(safe_path(form.next.data or request.args.get("next")))
        return self._page(request.endpoint.removeprefix("auth."), form, 400, _("This form was too old. Please try again."))

    @staticmethod
    def _page(name, form, status=200, refusal=None):
        return render_template(f"auth/{name}.html", form=form, refusal=refusal, next=form.next.data or "",
                               session_ended=has_ended()), status

    def _too_many(self, name, form, wait):
        answer = make_response(self._page(name, form, 429, _("Too many tries. Wait %(seconds)s seconds, then try again.",
                                                             seconds=wait)))
        answer.headers["Retry-After"] = str(wait)
        return answer

    @staticmethod
    def _checked(field, check):
        field.errors = []
        try:
            return check(field.data or "")
        except Invalid as error:
            field.errors = [error.message]

    def _take_registration(self):
        """Count a try to register, which also tells whether a name is taken; return the seconds to wait, or 0."""
        return (self.budgets.hit(ADDRESS_REGISTRATIONS, network_of(request.remote_addr))
                or self.budgets.hit(REGISTRATIONS, "all"))

    def _take_try(self, username, device_id):
        """Count a try before the password is looked at, so that many at once count too; a right one is given back.

        A browser from which this person has logged in before has tries of its own: others cannot use them up.
        Returns the seconds to wait (0: go on) and what gives the try back.
        """
        account = usernames.canonical(username)[:64]
        if device_id:
            counted = [(DEVICE_FAILURES, f"{device_id}:{account}")]
        else:
            counted = [(ACCOUNT_FAILURES, account), (ADDRESS_FAILURES, network_of(request.remote_addr))]
        taken = []

        def give_back():
            for one in taken:
                self.budgets.undo(*one)
        for budget, who in counted:
            wait = self.budgets.hit(budget, who)
            if wait:
                give_back()
                return wait, give_back
            taken.append((budget, who))
        return 0, give_back

    @staticmethod
    def _enter(user, form):
        """Log in under a new session id: one that was known before the login opens nothing."""
        session.clear()
        login_user(user)
        app.session_interface.regenerate(session)
        g.pop("csrf_token", None)
        generate_csrf()     # now, so that no later request writes the session again, not even after a logout
        return devices.remember(redirect(safe_path(form.next.data or request.args.get("next"))), user)
