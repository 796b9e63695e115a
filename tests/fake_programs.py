"""Small programs for the tests' PATH."""


def make_program(directory, name, script):
    """A program that the PATH finds."""
    path = directory / name
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
