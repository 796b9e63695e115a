"""AuthController, as in the report: register, login, logout."""
from flask import Blueprint, g, redirect, render_template, request, session
from flask import current_app as app
from flask_babel import gettext as _
from flask_login import current_user, login_user, logout_user
from flask_wtf.csrf import CSRFError, generate_csrf

from ..budgets import ACCOUNT_FAILURES, ADDRESS_FAILURES, ADDRESS_REGISTRATIONS, DEVICE_FAILURES, LOGINS, REGISTRATIONS
from ..errors import Duplicate, Invalid
from ..storage.limits import network_of
from ..web.error_handlers import handle_csrf_error
from ..web.forms import is_of_another_session, safe_path
from ..web.languages import waiting_time
from ..web.sessions import forget_cookie, has_ended
from . import devices, name_index, passwords, usernames
from .account_form import AccountForm
from .clicks import Clicks
from .user import User

MAX_LIMIT_KEY_LENGTH = 64       # characters of a username in the key of its limit


class AuthController:
    """The pages for registering, logging in and logging out. `connections` closes the live connections of an ended session."""

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
        """Create an account and log in to it, or show the form again with each error beside its field."""
        form = AccountForm()
        if current_user.is_authenticated:
            return redirect(_target(form))
        if not form.is_submitted():
            form.next.data = request.args.get("next", "")
            return self._page("register", form)
        wait = self._hit_registration_limits()
        if wait:
            return self._too_many("register", form, wait)
        name = self._validate(form.username, usernames.validate)
        self._validate(form.password, lambda password: self.runtime.run_registration_work(passwords.validate, password))
        if form.username.errors or form.password.errors:
            self._add_error_if_taken(form, name)
            return self._page("register", form, status=400)
        user = self._register_once(session.get("csrf_token"), name, form.password.data)
        if user:
            return self._enter(user, form)
        self._add_error_if_taken(form, name)
        return self._page("register", form, status=400)

    def _register_once(self, csrf_token, name, password):
        """Return the new user, for both halves of a double click, of which the browser shows one; None if the name is taken."""
        click, user = self.clicks.begin(csrf_token, name, password), None
        try:
            user = self._register(name, password)
        except Duplicate:
            pass    # perhaps by the other half
        finally:
            self.clicks.end(click, user)
        return self.clicks.registered(click)

    def _register(self, name, password):
        if name_index.is_taken(self.database, name):
            raise Duplicate(name)
        hashed = self.runtime.run_registration_work(passwords.hash_password, password, self.bcrypt_rounds)
        return User.register(self.database, name, hashed)

    def _add_error_if_taken(self, form, name):
        if name and name_index.is_taken(self.database, name):
            form.username.errors = [_("This name is taken or too similar to an existing one. Choose another.")]

    def login(self):
        """Open a session for the right username and password. The answer to everything else is always the same."""
        form = AccountForm()
        if current_user.is_authenticated:
            return redirect(_target(form))
        if not form.is_submitted():
            form.next.data = request.args.get("next", "")
            return self._page("login", form)
        username, password = form.username.data or "", form.password.data or ""
        user = User.named(self.database, username)
        device_id = devices.known_device(user)
        limits = self._login_limits(username, device_id)
        wait = self.budgets.seconds_to_wait([*limits, (LOGINS, user.id if user else 0)])    # before the queue, so that a refusal comes at once
        if not wait:
            with self.runtime.turn_to_log_in(is_known=bool(device_id)):
                wait, is_right = self._try(limits, password, user)
        if wait:
            return self._too_many("login", form, wait)
        return self._enter(user, form) if is_right else self._page("login", form, 401, _("Wrong username or password."))

    def logout(self):
        """Delete the session from its store, clear the cookie, and close the session's live connections."""
        ended, user_id = session.sid, current_user.id if current_user.is_authenticated else None
        self.sessions.delete(ended)
        logout_user()
        session.clear()
        session.modified = False    # nothing to save: the session is deleted above, the cookie below
        self.connections.end_session(ended, user_id)
        answer = redirect("/login")
        forget_cookie(answer)
        return answer

    def show_form_again(self, error):
        """Answer a form whose CSRF token belongs to an older session: show it again, with what was typed."""
        if not is_of_another_session():
            return handle_csrf_error(error)
        if request.endpoint == "auth.logout":
            return (render_template("auth/logout.html"), 400) if current_user.is_authenticated else redirect("/login")
        form = AccountForm()
        if current_user.is_authenticated:       # meanwhile, in another tab
            return redirect(_target(form))
        return self._page(request.endpoint.removeprefix("auth."), form, 400, _("This form has expired. Please try again."))

    @staticmethod
    def _page(name, form, status=200, error=None):
        return render_template(f"auth/{name}.html", form=form, error=error, next=form.next.data or "",
                               session_ended=has_ended()), status

    def _too_many(self, name, form, wait):
        return *self._page(name, form, 429, _("Too many attempts. Wait %(time)s, then try again.", time=waiting_time(wait))), {"Retry-After": str(wait)}

    @staticmethod
    def _validate(field, validate):
        field.errors = []
        try:
            return validate(field.data or "")
        except Invalid as error:
            field.errors = [error.message]

    def _hit_registration_limits(self):
        """Count an attempt to register, a failed one too: it tells whether a name is taken. Return 0, or the seconds to wait."""
        return self.budgets.hit(ADDRESS_REGISTRATIONS, network_of(request.remote_addr)) or self.budgets.hit(REGISTRATIONS, "all")

    @staticmethod
    def _login_limits(username, device_id):
        """Return the limits of an attempt to log in, as (budget, whose).

        A browser that this user has logged in from before has limits of its own, so that others cannot exhaust them.
        """
        account = usernames.canonical(username)[:MAX_LIMIT_KEY_LENGTH]
        if device_id:
            return [(DEVICE_FAILURES, f"{device_id}:{account}")]
        return [(ACCOUNT_FAILURES, account), (ADDRESS_FAILURES, network_of(request.remote_addr))]

    def _try(self, limits, password, user):
        """Compare a password within the limits. Return 0 or the seconds to wait, and whether it is right; a right one is counted too.

        Every attempt is counted before its password is compared, so that parallel ones count too, and uncounted where it was right. It is
        counted when its turn has come: of a class that logs in at the same moment, most still wait, and these have not failed.
        """
        wait = self.budgets.hit_all(limits)
        is_right = not wait and self.runtime.run_cpu_bound(passwords.verify, password, user.password if user else None, self.bcrypt_rounds)
        if is_right:
            self.budgets.undo_all(limits)
            wait = self.budgets.hit(LOGINS, user.id)
        return wait, is_right

    @staticmethod
    def _enter(user, form):
        """Log in under a new session id: an id that somebody knew before the login opens nothing."""
        session.clear()
        login_user(user)
        app.session_interface.regenerate(session)
        g.pop("csrf_token", None)
        generate_csrf()     # now, so that no later request saves the session again, not even after a logout
        return devices.remember(redirect(_target(form)), user)


def _target(form):
    """Return where a form, or the address of its page, leads to."""
    return safe_path(form.next.data or request.args.get("next"))
