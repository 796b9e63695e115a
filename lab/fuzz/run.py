"""A run of the fuzzer: generates dialogues, plays them, asks the oracle, shrinks each finding and saves it."""
import json
import math
import time
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

from ..server import LabServer
from .grammar import dialogues
from .oracle import LOG_SECONDS, STALLED, STORED, Oracle
from .player import Players

BATCH = 25                      # dialogues between two checks of the bystanders
ROUND = 500                     # dialogues per seed
CONFIRMED = 3                   # how often a doubtful finding must be reproduced
DOUBTFUL = (STALLED, STORED)    # may come from a busy machine, or from the previous dialogue
EXIT_SECONDS = 1                # from the end of its connections to the end of the process
MAX_TRIES = 60                  # to shrink a dialogue


class Run:
    """One server, its bystanders, and the findings.

    Findings are written into `directory`, if it is given. With `wanted` the run ends with the first finding that has this text in it.
    """

    def __init__(self, mode, directory=None, log=print, wanted=None, **options):
        self.directory, self.log, self.wanted = directory, log, wanted
        self.server = LabServer(ASYNC_MODE=mode, **options)
        self.found = {}        # finding -> the dialogues that cause it
        self.played = self.requests = 0
        self.batch = []

    def __enter__(self):
        self.server.start()
        self._start_observers()
        self.oracle.begin()
        return self

    def __exit__(self, *_error):
        self.oracle.close()
        self.server.__exit__()

    def _start_observers(self):
        self.oracle = Oracle(self.server)
        self.players = Players(self.server.url, self.oracle.bob)
        for who in ("stranger", "member", "newcomer"):
            self.players.play({"who": who, "steps": []})

    # --- playing

    def explore(self, examples, number=None, until=math.inf):
        """Play so many dialogues, or fewer if the time is over. Without a number they are always the same; a number is a seed."""
        @settings(max_examples=examples, derandomize=number is None, database=None, deadline=None, phases=[Phase.generate],
                  suppress_health_check=list(HealthCheck))
        @given(dialogues)
        def play(dialogue):
            if time.monotonic() < until and not self.is_found:
                self.step(dialogue)
        (play if number is None else seed(number)(play))()
        self.check_bystanders()

    def explore_until_found(self, examples):
        """Play at most so many dialogues, batch by batch and always the same ones, until one does the harm that is wanted; return what was found."""
        for number in range(examples // BATCH):     # a single exploration would also generate those that are not played any more
            self.explore(BATCH, number)
            if self.is_found:
                return self.found
        return self.finish()

    @property
    def is_found(self):
        """Whether what the run was begun for was found. A busy machine may stand still on the way there."""
        return self.wanted is not None and any(self.wanted in finding for finding in self.found)

    def step(self, dialogue):
        """Play one dialogue and check what can be checked at once."""
        self.batch.append(dialogue)
        finding = self._try(dialogue)
        if finding in DOUBTFUL and not all(self._try(dialogue) == finding for _n in range(CONFIRMED)):
            finding = None
        if finding:
            self._save_finding(finding, dialogue)
        self.played, self.requests = self.played + 1, self.requests + len(dialogue["steps"])
        if len(self.batch) >= BATCH:
            self.check_bystanders()

    def _try(self, dialogue):
        """Play a dialogue; return what it did to the server, or None."""
        self.oracle.probe.take_longest()
        is_strange = dialogue["who"] == "stranger"
        try:
            before = self.oracle.metrics()["chat_messages_total"] if is_strange else 0
            answers = self.players.play(dialogue)
            return (self.oracle.process_ended() or self.oracle.server_error(answers) or self.oracle.stalled()
                    or (self.oracle.stored_by_stranger(before) if is_strange else None))
        except Exception as error:
            return self.oracle.process_ended(EXIT_SECONDS) or f"the server does not answer: {type(error).__name__}"

    def check_bystanders(self):
        """Check the bystanders. A finding here may come from any dialogue of the batch."""
        batch, self.batch = self.batch, []
        finding = self.oracle.process_ended() or self.oracle.unserved() or self.oracle.errors_in_log()
        if finding:
            culprit = next((dialogue for dialogue in batch if self._does_harm(dialogue)), None)
            self._save_finding(finding, *([culprit] if culprit else batch), shrink=False)
        if self.oracle.process_ended():
            self._restart()

    def _does_harm(self, dialogue):
        if self.oracle.process_ended():
            self._restart()
        self._try(dialogue)
        time.sleep(LOG_SECONDS)
        return bool(self.oracle.process_ended() or self.oracle.unserved() or self.oracle.errors_in_log())

    def _restart(self):
        self.oracle.close()
        self.server.kill()
        self.server.start()
        self._start_observers()
        self.oracle.begin()

    def finish(self):
        """Check what the run left behind."""
        finding = self.oracle.leftovers()
        if finding:
            self._save_finding(finding, shrink=False)
        return self.found

    # --- saving findings

    def _save_finding(self, finding, *dialogues, shrink=True):
        if self.oracle.process_ended():
            self._restart()
        if finding in self.found:
            return
        self.found[finding] = list(dialogues)
        if shrink and self.wanted is None:
            self.found[finding] = [self.shrunk(dialogues[0], finding)]
        path = ""
        if self.directory:
            path = Path(self.directory) / f"finding-{len(self.found)}.json"
            path.write_text(json.dumps({"finding": finding, "dialogues": self.found[finding]}), encoding="utf-8")
        self.log(f"FOUND {finding}  {path}")

    def shrunk(self, dialogue, finding):
        """Return the dialogue without the steps and texts that its finding does not need."""
        tries = 0

        def still(steps):
            nonlocal tries
            tries += 1
            found = tries <= MAX_TRIES and self._try({**dialogue, "steps": steps}) == finding
            if self.oracle.process_ended():
                self._restart()
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
