"""The first module that Python runs under libfaketime.

libfaketime up to 0.9.10, as in Debian 12, breaks the system call that time.sleep uses since Python 3.11. So time.sleep
is replaced by the implementation of Python 3.10.
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
# eventlet's hub would load a fresh copy of the module if there were none of this name.
sys.modules["__original_module_time"] = types.ModuleType("time")
vars(sys.modules["__original_module_time"]).update(vars(time))
