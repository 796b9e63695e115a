"""Child processes that end when their parent ends, for whatever reason."""
import ctypes
import functools
import signal
import sys

PR_SET_PDEATHSIG = 1        # of prctl(2); only Linux has it
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None       # loaded before the fork, because a child must not wait for a lock


def ending_with_parent(number=signal.SIGKILL):
    """Return a function for Popen's `preexec_fn`: the child gets that signal when its parent dies."""
    return functools.partial(LIBC.prctl, PR_SET_PDEATHSIG, int(number)) if LIBC else None


JOB_KILL_ON_CLOSE, EXTENDED_LIMITS = 0x2000, 9      # of Windows' JOBOBJECT_EXTENDED_LIMIT_INFORMATION


class ExtendedLimits(ctypes.Structure):
    """JOBOBJECT_EXTENDED_LIMIT_INFORMATION; only the flags are used."""

    _fields_ = [("times", ctypes.c_int64 * 2), ("flags", ctypes.c_uint32), ("working_set", ctypes.c_size_t * 2),
                ("processes", ctypes.c_uint32), ("affinity", ctypes.c_size_t), ("classes", ctypes.c_uint32 * 2), ("counters", ctypes.c_uint64 * 6),
                ("memory", ctypes.c_size_t * 4)]


def end_with_this_process(kernel32=None):
    """On Windows: make the system end every child when this process ends, for whatever reason.

    All of them belong to one job. When this process ends, the system closes the last handle of the job and ends its
    processes. If there can be no job, nothing changes.
    """
    kernel32 = kernel32 or ctypes.WinDLL("kernel32")
    kernel32.CreateJobObjectW.restype = kernel32.GetCurrentProcess.restype = ctypes.c_void_p
    job = kernel32.CreateJobObjectW(None, None)
    limits = ExtendedLimits(flags=JOB_KILL_ON_CLOSE)
    if job and kernel32.SetInformationJobObject(ctypes.c_void_p(job), EXTENDED_LIMITS, ctypes.byref(limits), ctypes.sizeof(limits)):
        kernel32.AssignProcessToJobObject(ctypes.c_void_p(job), ctypes.c_void_p(kernel32.GetCurrentProcess()))
