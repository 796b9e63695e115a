"""What manage.py is made of. Only the standard library, except in catalogs.py."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def python_name():
    """How people call Python on this system: its installer for Windows brings no python3."""
    return "py" if os.name == "nt" else "python3"


def command_line(*words):
    """What to type for a command of manage.py on this system."""
    return " ".join((python_name(), "manage.py") + words)
