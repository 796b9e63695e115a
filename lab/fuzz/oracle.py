"""Decides whether the server took harm, from the process, the log, the metrics, and two people who use the chat meanwhile."""
import re
import socket
import threading
import time
from urllib.parse import urlsplit

import requests

from tests.people import Person
from tests.waiting import wait_for

PING_INTERVAL = 0.005           # seconds between two pings
MAX_STALL = 0.25                # seconds that one dialogue may block the event loop; tolerant because the machine may be busy
ANSWER_SECONDS = 10             # for /healthz and /login
SETTLE_SECONDS = 35             # until the server has forgotten a dialogue: a ping, its timeout, and a sweep
MAX_GROWTH = 60 * 1024 * 1024   # bytes of memory that a run may leave behind
LOG_SECONDS = 0.3               # for the log to be printed
FAULT_IN_LOG = re.compile(r"Traceback|Error on request|^\S.* failed with ", re.M)
STALLED, STORED = f"the event loop stood still for more than {MAX_STALL} s", "a stranger's dialogue stored a message"
GAUGES = ("chat_transport_entries", "chat_connections")


class LatencyProbe:
    """Requests /healthz again and again. `longest` is the slowest answer in seconds since the last reset."""

    def __init__(self, url):
        parts = urlsplit(url)
        self.place, self.longest = (parts.hostname, parts.port), 0
        self.asked_at = None
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self._probe_loop, daemon=True)
        self.thread.start()

    def _probe_loop(self):
        question = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        while not self.ending.wait(PING_INTERVAL):
            self.asked_at = time.monotonic()
            try:
                with socket.create_connection(self.place, timeout=ANSWER_SECONDS) as sock:
                    sock.sendall(question)
                    sock.recv(4096)
            except OSError:
                pass        # whether the server is alive is checked elsewhere
            self.longest = max(self.longest, time.monotonic() - self.asked_at)
            self.asked_at = None

    def take_longest(self):
        """Return the longest time since the last call, including a request that is still waiting, and reset it."""
        under_way = self.asked_at
        longest, self.longest = max(self.longest, time.monotonic() - under_way if under_way else 0), 0
        return longest

    def stop(self):
        self.ending.set()
        self.thread.join()


class Oracle:
    """Two people who use the chat. Each check returns a finding as text, or None."""

    def __init__(self, server):
        self.server = server
        self.alice, self.bob = Person(server.url), Person(server.url)
        self.alice.register()
        self.bob.register()
        self.tabs = self.alice.tab(transports=["websocket"]), self.bob.tab(transports=["websocket"])
        self.acknowledged_texts = []        # Alice's messages that were acknowledged
        self.seen = len(server.seen)
        self.probe = LatencyProbe(server.url)
        self.baseline = None

    def begin(self):
        """Note the metrics before the first dialogue."""
        self.baseline = self.metrics()

    def metrics(self):
        text = requests.get(self.server.url + "/metrics", timeout=ANSWER_SECONDS).text
        return {name: float(value) for name, value in re.findall(r"^(\w+) (\S+)$", text, re.M)}

    # --- after each dialogue

    def process_ended(self, patience=0):
        wait_for(lambda: self.server.process.poll() is not None, patience)
        code = self.server.process.poll()
        return f"the process ended with {code}" if code is not None else None

    def server_error(self, answers):
        """A 500 among the answers, or a traceback in the log."""
        for status, step in answers:
            if status == 500:
                self.errors_in_log()       # the log has the same finding: skip it
                return f"500 for {step['do']}: {step.get('method', '')} {step.get('path', '')[:60]!r}".strip()
        return self.errors_in_log()

    def errors_in_log(self):
        new = "".join(self.server.seen[self.seen:])
        if not FAULT_IN_LOG.search(new):
            return None
        time.sleep(LOG_SECONDS)
        new = "".join(self.server.seen[self.seen:])
        self.seen = len(self.server.seen)
        lines = [line for line in new.splitlines() if re.match(r"[\w.]+(Error|Exception|Exit|Interrupt|Timeout|Closed\w*)?(:|$)", line)]
        return f"in the log: {re.sub(r'0x[0-9a-f]+|[0-9]+', 'N', (lines or new.splitlines())[-1])[:200]}"

    def stalled(self):
        started = time.monotonic()
        self.metrics()        # a frame may be processed after its client has left
        longest = max(self.probe.take_longest(), time.monotonic() - started)
        return STALLED if longest > MAX_STALL else None

    def stored_by_stranger(self, before):
        """A stranger has stored a message."""
        return STORED if self.metrics()["chat_messages_total"] != before else None

    # --- after a batch of dialogues

    def unserved(self):
        """Somebody else is not served any more: pages, or a message over a connection that was open all the time."""
        try:
            for path in ("/healthz", "/login"):
                if requests.get(self.server.url + path, timeout=ANSWER_SECONDS).status_code != 200:
                    return f"{path} is not answered as it was"
            if any(tab.ended.is_set() for tab in self.tabs):
                return "a bystander lost the connection"
            text = f"still here {len(self.acknowledged_texts)}"
            ack = self.tabs[0].send(self.bob, text)
            if not ack or not ack["ok"]:
                return f"a bystander's message was refused: {ack}"
            self.acknowledged_texts.append(text)
            self.tabs[1].wait_for("receiveMessage", lambda message: message["message"] == text)
        except Exception as error:      # whatever the client library raises
            return f"a bystander is not served: {type(error).__name__}"
        return None

    # --- at the end

    def leftovers(self):
        """What the dialogues left behind: transport entries, memory, messages that nobody sent."""
        def is_settled():
            now = self.metrics()
            return all(now[name] <= self.baseline[name] for name in GAUGES)
        if not wait_for(is_settled, SETTLE_SECONDS):
            now = self.metrics()
            return "left behind: " + ", ".join(f"{name} {self.baseline[name]:g} to {now[name]:g}" for name in GAUGES)
        grown = self.metrics()["process_resident_memory_bytes"] - self.baseline["process_resident_memory_bytes"]
        if grown > MAX_GROWTH:
            return f"memory grew by {grown / 2 ** 20:.0f} MB"
        stored = []
        while page := self.bob.history(self.alice, f"?after={len(stored)}&limit=200")["messages"]:
            stored += page
        if [message["message"] for message in stored] != self.acknowledged_texts:
            return "the bystanders' conversation is not what they wrote"
        return None

    def close(self):
        self.probe.stop()
        for person in (self.alice, self.bob):
            person.leave()
