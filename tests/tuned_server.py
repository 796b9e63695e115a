"""The server with other timings than people have: TUNED names them as JSON, {"chat.live.presence.GRACE_SECONDS": 600}.

A test that shows what happens at once starts a server in which nothing else would bring it about for minutes; then no clock decides.
"""
import importlib
import json
import os

import wsgi


def tune():
    for name, value in json.loads(os.environ["TUNED"]).items():
        module, _dot, constant = name.rpartition(".")
        module = importlib.import_module(module)
        assert hasattr(module, constant), f"{name} is not there"
        setattr(module, constant, value)


if __name__ == "__main__":
    patch = wsgi.patch

    def patch_and_tune(mode):
        patch(mode)
        tune()
    wsgi.patch = patch_and_tune
    wsgi.main()
