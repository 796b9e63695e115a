"""What manage.py is made of. Only the standard library, except in catalogs.py."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
