"""The parts of manage.py. Only the standard library, except in catalogs.py and in what runs inside the environment."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def python_name():
    """How Python is called on this system: on Windows its installer provides `py`, not python3."""
    return "py" if os.name == "nt" else "python3"


def command_line(*words):
    """Return how to call a command of manage.py on this system."""
    return " ".join((python_name(), "manage.py") + words)
