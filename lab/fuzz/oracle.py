"""The oracle: tells by who stands by, by the log and by the measures whether the server took harm."""
import re
import socket
import threading
import time
from urllib.parse import urlsplit

import requests

from tests.people import Person
from tests.waiting import wait_for

PAUSE = 0.005               # seconds between two pings of the loop
MAX_STALL = 0.25        # seconds for which one dialogue may stop the event loop: five times the budget, for a busy machine
ANSWER_SECONDS = 10         # for /healthz and /login
SETTLE_SECONDS = 35         # until what a dialogue left is forgotten: a ping, its answer, and a look
MAX_GROWTH = 60 * 1024 * 1024       # bytes of memory that a run may leave behind
LOG_SECONDS = 0.3           # for what was logged to be printed
FAULT_IN_LOG = re.compile(r"Traceback|Error on request|^\S.* failed with ", re.M)
STALLED, STORED = f"the event loop stood still for more than {MAX_STALL} s", "a stranger's dialogue stored a message"
GAUGES = ("chat_transport_entries", "chat_connections")


class Pulse:
    """Asks for /healthz again and again on one connection; `longest` is the slowest answer, in seconds, since it was last set to 0."""

    def __init__(self, url):
        parts = urlsplit(url)
        self.place, self.longest = (parts.hostname, parts.port), 0
        self.asked_at = None
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self._beat, daemon=True)
        self.thread.start()

    def _beat(self):
        question = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        while not self.ending.wait(PAUSE):
            self.asked_at = time.monotonic()
            try:
                with socket.create_connection(self.place, timeout=ANSWER_SECONDS) as sock:
                    sock.sendall(question)
                    sock.recv(4096)
            except OSError:
                pass        # whether it lives is asked elsewhere
            self.longest = max(self.longest, time.monotonic() - self.asked_at)
            self.asked_at = None

    def take(self):
        """Return the longest time since the last look, with the question that is under way, and begin anew."""
        under_way = self.asked_at
        longest, self.longest = max(self.longest, time.monotonic() - under_way if under_way else 0), 0
        return longest

    def stop(self):
        self.ending.set()
        self.thread.join()


class Oracle:
    """Who stands by. Each look returns a finding in words, or None."""

    def __init__(self, server):
        self.server = server
        self.alice, self.bob = Person(server.url), Person(server.url)
        self.alice.register()
        self.bob.register()
        self.tabs = self.alice.tab(transports=["websocket"]), self.bob.tab(transports=["websocket"])
        self.said = []          # what alice was told is stored
        self.seen = len(server.seen)
        self.pulse = Pulse(server.url)
        self.baseline = None

    def begin(self):
        """Note where the measures stand."""
        self.baseline = self.measures()

    def measures(self):
        text = requests.get(self.server.url + "/metrics", timeout=ANSWER_SECONDS).text
        return {name: float(value) for name, value in re.findall(r"^(\w+) (\S+)$", text, re.M)}

    # --- after each dialogue

    def death(self, patience=0):
        wait_for(lambda: self.server.process.poll() is not None, patience)
        code = self.server.process.poll()
        return f"the process ended with {code}" if code is not None else None

    def fault(self, answers):
        """A 500 among the answers, or a traceback in the log."""
        for status, step in answers:
            if status == 500:
                self.logged()       # what stands there too is the same
                return f"500 for {step['do']}: {step.get('method', '')} {step.get('path', '')[:60]!r}".strip()
        return self.logged()

    def logged(self):
        new = "".join(self.server.seen[self.seen:])
        if not FAULT_IN_LOG.search(new):
            return None
        time.sleep(LOG_SECONDS)
        new = "".join(self.server.seen[self.seen:])
        self.seen = len(self.server.seen)
        lines = [line for line in new.splitlines() if re.match(r"[\w.]+(Error|Exception|Exit|Interrupt|Timeout|Closed\w*)?(:|$)", line)]
        return f"in the log: {re.sub(r'0x[0-9a-f]+|[0-9]+', 'N', (lines or new.splitlines())[-1])[:200]}"

    def stall(self):
        started = time.monotonic()
        self.measures()         # a frame may be answered after its client has left
        longest = max(self.pulse.take(), time.monotonic() - started)
        return STALLED if longest > MAX_STALL else None

    def stored(self, before):
        """A message that a stranger stored."""
        return STORED if self.measures()["chat_messages_total"] != before else None

    # --- after some of them

    def silence(self):
        """Whether somebody else is still served: pages, and a message over a connection that was open all the time."""
        try:
            for path in ("/healthz", "/login"):
                if requests.get(self.server.url + path, timeout=ANSWER_SECONDS).status_code != 200:
                    return f"{path} is not answered as it was"
            if any(tab.ended.is_set() for tab in self.tabs):
                return "a bystander lost the connection"
            text = f"still here {len(self.said)}"
            told = self.tabs[0].send(self.bob, text)
            if not told or not told["ok"]:
                return f"a bystander's message was refused: {told}"
            self.said.append(text)
            self.tabs[1].wait_for("receiveMessage", lambda message: message["message"] == text)
        except Exception as error:      # whatever it is that a client's library throws
            return f"a bystander is not served: {type(error).__name__}"
        return None

    # --- at the end

    def remains(self):
        """What the dialogues left behind: entries, memory, messages that nobody sent."""
        def is_settled():
            now = self.measures()
            return all(now[name] <= self.baseline[name] for name in GAUGES)
        if not wait_for(is_settled, SETTLE_SECONDS):
            now = self.measures()
            return "left behind: " + ", ".join(f"{name} {self.baseline[name]:g} to {now[name]:g}" for name in GAUGES)
        grown = self.measures()["process_resident_memory_bytes"] - self.baseline["process_resident_memory_bytes"]
        if grown > MAX_GROWTH:
            return f"memory grew by {grown / 2 ** 20:.0f} MB"
        stored = []
        while page := self.bob.history(self.alice, f"?after={len(stored)}&limit=200")["messages"]:
            stored += page
        if [message["message"] for message in stored] != self.said:
            return "the bystanders' conversation is not what they wrote"
        return None

    def close(self):
        self.pulse.stop()
        for person in (self.alice, self.bob):
            person.leave()
