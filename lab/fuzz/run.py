"""A run of the fuzzer: makes dialogues, plays them, asks the oracle, makes what it finds smaller and keeps it."""
import json
import math
import time
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.server import Server

from .grammar import dialogues
from .oracle import LOG_SECONDS, STALLED, STORED, Oracle
from .player import Players

BATCH = 25                  # dialogues between two looks at the bystanders
ROUND = 500                 # dialogues of one seed
CONFIRMED = 3               # times that a doubtful finding has to come again to be believed
DOUBTFUL = (STALLED, STORED)        # the machine may have been busy, or a message of the dialogue before came late
DYING_SECONDS = 1           # from the end of its connections to the end of the process
MAX_TRIES = 60              # to make a dialogue smaller


class FuzzedServer(Server):
    """The chat, in which `broken.py` may have broken something: FUZZ_BREAK names what."""

    program = ("-m", "lab.fuzz.broken")


class Run:
    """One server, its bystanders and what was found.

    `directory` is where findings are written, None keeps them here alone; `until_found` ends with the first one.
    """

    def __init__(self, mode, directory=None, say=print, until_found=False, **options):
        self.directory, self.say, self.until_found = directory, say, until_found
        self.server = FuzzedServer(ASYNC_MODE=mode, **options)
        self.found = {}         # finding -> the dialogues that lead to it
        self.played = self.requests = 0
        self.batch = []

    def __enter__(self):
        self.server.start()
        self._stand_by()
        self.oracle.begin()
        return self

    def __exit__(self, *_error):
        self.oracle.close()
        self.server.__exit__()

    def _stand_by(self):
        self.oracle = Oracle(self.server)
        self.players = Players(self.server.url, self.oracle.bob)
        for who in ("stranger", "member", "newcomer"):
            self.players.play({"who": who, "steps": []})

    # --- playing

    def explore(self, examples, number=None, until=math.inf):
        """Play so many dialogues, or as many as there is time for: always the same ones without a number, which names others."""
        @settings(max_examples=examples, derandomize=number is None, database=None, deadline=None, phases=[Phase.generate],
                  suppress_health_check=list(HealthCheck))
        @given(dialogues)
        def play(dialogue):
            if time.monotonic() < until and not (self.until_found and self.found):
                self.step(dialogue)
        (play if number is None else seed(number)(play))()
        self.look_around()

    def step(self, dialogue):
        """Play one dialogue and look at what can be seen at once."""
        self.batch.append(dialogue)
        finding = self._try(dialogue)
        if finding in DOUBTFUL and not all(self._try(dialogue) == finding for _n in range(CONFIRMED)):
            finding = None
        if finding:
            self._keep(finding, dialogue)
        self.played, self.requests = self.played + 1, self.requests + len(dialogue["steps"])
        if len(self.batch) >= BATCH:
            self.look_around()

    def _try(self, dialogue):
        """Play a dialogue; return what it did to the server, or None."""
        self.oracle.pulse.take()
        is_strange = dialogue["who"] == "stranger"
        try:
            before = self.oracle.measures()["chat_messages_total"] if is_strange else 0
            answers = self.players.play(dialogue)
            return (self.oracle.death() or self.oracle.fault(answers) or self.oracle.stall()
                    or (self.oracle.stored(before) if is_strange else None))
        except Exception as error:
            return self.oracle.death(DYING_SECONDS) or f"the server does not answer: {type(error).__name__}"

    def look_around(self):
        """Ask the bystanders, once for some dialogues together; what they say is laid to all of these."""
        batch, self.batch = self.batch, []
        finding = self.oracle.death() or self.oracle.silence() or self.oracle.logged()
        if finding:
            culprit = next((dialogue for dialogue in batch if self._does_harm(dialogue)), None)
            self._keep(finding, *([culprit] if culprit else batch), shrink=False)
        if self.oracle.death():
            self._begin_anew()

    def _does_harm(self, dialogue):
        if self.oracle.death():
            self._begin_anew()
        self._try(dialogue)
        time.sleep(LOG_SECONDS)
        return bool(self.oracle.death() or self.oracle.silence() or self.oracle.logged())

    def _begin_anew(self):
        self.oracle.close()
        self.server.kill()
        self.server.start()
        self._stand_by()
        self.oracle.begin()

    def finish(self):
        """Look at what the run left behind."""
        finding = self.oracle.remains()
        if finding:
            self._keep(finding, shrink=False)
        return self.found

    # --- keeping

    def _keep(self, finding, *dialogues, shrink=True):
        if self.oracle.death():
            self._begin_anew()
        if finding in self.found:
            return
        self.found[finding] = list(dialogues)
        if shrink and not self.until_found:
            self.found[finding] = [self.smaller(dialogues[0], finding)]
        path = ""
        if self.directory:
            path = Path(self.directory) / f"finding-{len(self.found)}.json"
            path.write_text(json.dumps({"finding": finding, "dialogues": self.found[finding]}), encoding="utf-8")
        self.say(f"FOUND {finding}  {path}")

    def smaller(self, dialogue, finding):
        """Return the dialogue without the steps and texts that its finding does not need."""
        tries = 0

        def still(steps):
            nonlocal tries
            tries += 1
            found = tries <= MAX_TRIES and self._try({**dialogue, "steps": steps}) == finding
            if self.oracle.death():
                self._begin_anew()
            return found
        steps, at = dialogue["steps"], len(dialogue["steps"]) - 1
        while at >= 0:
            fewer = steps[:at] + steps[at + 1:]
            if fewer and still(fewer):
                steps = fewer
            at -= 1
        for at, step in enumerate(steps):
            for name in ("body", "text"):
                while len(step.get(name) or "") > 1 and still([*steps[:at], {**step, name: step[name][:len(step[name]) // 2]}, *steps[at + 1:]]):
                    step = {**step, name: step[name][:len(step[name]) // 2]}
                    steps = [*steps[:at], step, *steps[at + 1:]]
        return {**dialogue, "steps": steps}
