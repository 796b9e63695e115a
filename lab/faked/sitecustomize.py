"""The first thing that Python runs under libfaketime.

Up to 0.9.10, which Debian 12 has, it breaks the system call by which time.sleep waits from Python 3.11 on; here
time.sleep waits as it did in Python 3.10.
"""
import sys
import time
import types
from select import select


def sleep(seconds, /):
    """Wait for so many seconds."""
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    select([], [], [], seconds)


time.sleep = sleep
# eventlet's hub takes a fresh copy of the module, unless there is one of this name.
sys.modules["__original_module_time"] = types.ModuleType("time")
vars(sys.modules["__original_module_time"]).update(vars(time))
