"""Attacks on the forms: names and passwords that are slow to process, registrations, guessed passwords, pages without a cookie."""
import re
from concurrent.futures import ThreadPoolExecutor

from .registry import CUT, NO_ANSWER, Attack, attack

ACCENTS = "\u0315\u0300" * 40_000       # 160 KB; normalising it takes quadratic time
SLOW_PASSWORDS = ("4@8({[<369&#!1/|0$5+7%24@8({[<36", "4@8({[<369&#!1/|", "p4$5w0rdp4$5w0rdp4$5w0rdp4$5w0rd")
AT_ONCE = 20
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Form(Attack):
    """An attack that submits forms. The empty form brings a cookie and a token."""

    path = "/login"
    cookie = token = ""

    def open(self, path, source):
        """Get the empty form; return the headers for submitting it, and its token."""
        answer = self.target.request("GET", path, source)
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', answer.text)
        return {**FORM, "Cookie": answer.cookie}, found[1] if found else ""

    def submit(self, path, source, **fields):
        headers, token = self.open(path, source)
        return self.send(path, source, headers, token, **fields)

    def send(self, path, source, headers, token, **fields):
        """Submit the form. Only the necessary characters are escaped, because %-escapes would make other text three times as long."""
        escaped = {name: value.replace("%", "%25").replace("&", "%26").replace("+", "%2B") for name, value in fields.items()}
        body = "&".join(f"{name}={value}" for name, value in {**escaped, "csrf_token": token}.items())
        return str(self.target.request("POST", path, source, body, headers).status)

    def source(self):
        return self.rng.choice(self.target.sources)


@attack
class LongCombiningNames(Form):
    name = "names and passwords of 160 KB of combining marks"
    allowed = frozenset({"400", "401", "413", "429"})
    required = frozenset({"400", "401", "413"})

    def attempt(self):
        path, field = self.rng.choice(["/login", "/register"]), self.rng.choice(["username", "password"])
        return self.submit(path, self.source(), **{"username": "somebody", "password": "not theirs", field: ACCENTS})


@attack
class SlowEstimates(Form):
    name = "passwords that are slow to estimate"
    allowed = frozenset({"400", "429"})
    required = frozenset({"400"})

    def attempt(self):
        return self.submit("/register", self.source(), username="x", password=self.rng.choice(SLOW_PASSWORDS))


@attack
class Registrations(Form):
    """Twenty free names at the same moment from one address, again and again."""

    name = f"{AT_ONCE} registrations at once"
    per_second = 0.2
    allowed = frozenset({"302", "429", "503"})
    required = frozenset({"302", "429"})

    def prepare(self):
        self.origin = self.source()
        self.pool = ThreadPoolExecutor(AT_ONCE)

    def attempt(self):
        for outcome in self.pool.map(self._register, range(AT_ONCE)):
            self.sent += 1
            self.counts[outcome] += 1

    def _register(self, n):
        name = f"stranger{self.rng.randrange(10 ** 9)}n{n}"
        try:
            return self.submit("/register", self.origin, username=name, password=f"correct horse {name}")
        except TimeoutError:
            return NO_ANSWER
        except OSError:
            return CUT

    def close(self):
        self.pool.shutdown(wait=False, cancel_futures=True)


@attack
class Guesses(Form):
    name = "wrong passwords against one person"
    per_second = 3
    allowed = frozenset({"401", "429"})
    required = frozenset({"429"})

    def attempt(self):
        return self.submit("/login", self.source(), username=self.target.victim, password=f"guess {self.rng.random()}")


@attack
class LoginPages(Form):
    name = "GET /login without a cookie, in a loop"
    per_second = 10
    allowed = required = frozenset({"200"})

    def attempt(self):
        return str(self.target.request("GET", "/login", self.source()).status)


@attack
class BadHosts(Form):
    """No answer may redirect to the host that the client claims, or contain it."""

    name = "bad Host headers"
    allowed = frozenset({"200", "301", "302", "400", "403", "404", "421"})
    required = frozenset({"302", "400"})
    HOSTS = ("evil.example", "evil.example:80@x", "a b", "", "x" * 8000, "evil.example\t", "[::", "127.0.0.1.evil.example", "ex\xe4mple")

    def attempt(self):
        path = self.rng.choice(["/", "/chat/somebody", "/login", "/nothing", "/socket.io/?EIO=4&transport=polling"])
        answer = self.target.request("GET", path, self.source(), host=self.rng.choice(self.HOSTS))
        leads_away = "evil" in answer.headers.get("location", "") or "evil" in answer.text
        return "led away" if leads_away else str(answer.status)
