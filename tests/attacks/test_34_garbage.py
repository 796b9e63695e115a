"""Requests that are cut leave their frames, sockets and timers to each other: cycles, which only the garbage collector frees."""
import subprocess
import sys

import pytest

from tests.server import ROOT

# As many requests as an attacker sends in some minutes; each lives for as long as twenty thousand others, so that the young generations
# see it alive. Printed is the greatest number of them that were over and not freed.
CUT_REQUESTS = """
from collections import deque
from chat.live.process_tuning import tune_gc

class Frame:
    there = most = 0
    def __init__(self, other):
        self.other = other
        Frame.there += 1
        Frame.most = max(Frame.most, Frame.there)
    def __del__(self):
        Frame.there -= 1

tune_gc()
under_way = deque(maxlen=20_000)
for number in range(300_000):
    frame = Frame(None)
    frame.other = Frame(frame)
    under_way.append(frame)
print(Frame.most)
"""
MAX_FRAMES = 250_000        # 40,000 are under way; the oldest generation is searched after 100,000 new objects


@pytest.mark.slow
def test_what_cut_requests_leave_is_freed_soon():
    printed = subprocess.run([sys.executable, "-c", CUT_REQUESTS], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert int(printed) < MAX_FRAMES
