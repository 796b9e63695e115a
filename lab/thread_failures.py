"""A thread of the laboratory that died: what it would have done is missing, and a violation found then is none of the chat's."""
import threading
import traceback


class LaboratoryError(Exception):
    """The laboratory itself failed, and the run says nothing about the chat."""


class ThreadFailures:
    """Collects the exceptions of threads inside a `with` block, which else end in a line on the console."""

    def __init__(self):
        self._texts = []

    def __enter__(self):
        self._before = threading.excepthook
        threading.excepthook = self._note
        return self

    def __exit__(self, *_error):
        threading.excepthook = self._before

    def _note(self, failed):
        self._texts.append("".join(traceback.format_exception(failed.exc_type, failed.exc_value, failed.exc_traceback)))

    def raise_any(self):
        """Raise LaboratoryError with the first exception, if there was one."""
        if self._texts:
            raise LaboratoryError(f"A thread of the laboratory died ({len(self._texts)} in all).\n{self._texts[0]}")
