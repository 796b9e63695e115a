"""The server that a run starts: the chat with fail points and, if a run asks for one, a mutant."""
from tests.server import Server

SECRET_KEY = "for the fault-injection suite alone: thirty-two bytes and more"


class LabServer(Server):
    """`lab.instrumented_server` instead of `wsgi.py`."""

    program = ("-m", "lab.instrumented_server")
