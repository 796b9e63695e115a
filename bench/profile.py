"""The server's time at saturation by library, sampled from outside by py-spy."""
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from .load import Load
from .talk import IN_FLIGHT, TALKERS

SAMPLES_S = 200             # samples per second
PY_SPY = Path(sys.executable).with_name("py-spy")

# The owner of a frame by its file; the first matching pattern counts.
OWNERS = (
    ("PyMySQL: the statement and its answer", r"pymysql/"),
    ("Redis", r"/redis/"),
    ("python-socketio: packets and rooms", r"socketio/"),
    ("python-engineio: transports and queues", r"engineio/"),
    ("eventlet: WebSocket frames", r"eventlet/websocket"),
    ("eventlet: switching and waiting for sockets", r"eventlet/|greenlet"),
    ("the chat: the frames of its WebSockets", r"chat/live/fast_"),
    ("the chat: numbering and group commit", r"chat/conversations/(batch_)?writer"),
    ("the chat: messages and their checks", r"chat/(conversations/message|live/payloads|live/sockets|storage/limits|clock)"),
    ("the chat: the rest", r"chat/"),
)


def at_saturation(subject, scope):
    """Return {owner: share of the time in %} of the server process at saturation."""
    with Load() as load, tempfile.TemporaryDirectory() as directory:
        load("connect", url=subject.url, who=subject.people(TALKERS))
        load("saturate", inFlight=IN_FLIGHT)
        samples = Path(directory) / "samples"
        subprocess.run([str(PY_SPY), "record", "--pid", str(subject.pid), "--duration", str(max(2, int(scope.seconds))),
                        "--rate", str(SAMPLES_S), "--format", "raw", "--output", str(samples), "--nonblocking"],
                       check=True, capture_output=True)
        load("stop")
        lines = samples.read_text(encoding="utf-8").splitlines()
    shares = Counter()
    for line in lines:
        stack, _space, count = line.rpartition(" ")
        shares[owner_of(stack.split(";"))] += int(count)
    total = sum(shares.values())
    return {owner: 100 * count / total for owner, count in shares.most_common()}


def owner_of(stack):
    """Return the owner of the innermost frame that has one. So Python's own code counts for the library that calls it."""
    for frame in reversed(stack):
        for owner, pattern in OWNERS:
            if re.search(pattern, frame):
                return owner
    return "Python itself"
