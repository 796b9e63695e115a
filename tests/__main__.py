"""Runs the tests in several processes. What fails beside others runs once more, alone.

The machine decides which of a few thousand tests gets no processor for a second. A failure that only the load made is not hidden: its
traceback stays in the output, and the last lines name it, for the test has a window that a busy machine misses, or the chat has one.
"""
import subprocess
import sys

import pytest

MAX_REPEATED = 5    # more failures than that are no accident


class Failures:
    """A plugin that notes which tests fail, from the reports of all processes."""

    def __init__(self):
        self.tests = {}     # in the order in which they failed

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.tests[report.nodeid] = True


def main(arguments):
    """Run pytest with the arguments, and return its exit code. Only a run of all tests, without any argument, repeats what failed."""
    failures = Failures()
    code = pytest.main(["-n", "auto", *arguments], plugins=[failures])
    if code != pytest.ExitCode.TESTS_FAILED or arguments or len(failures.tests) > MAX_REPEATED:
        return code
    print("\nOnce more, alone:", *failures.tests, sep="\n  ", flush=True)
    code = subprocess.run([sys.executable, "-m", "pytest", "-n", "0", *failures.tests], check=False).returncode
    if code == pytest.ExitCode.OK:
        print("\nThese failed beside others and passed alone. Each has a window that a busy machine misses: mend it.", *failures.tests, sep="\n  ")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
