"""Passwords of l33t: the estimate of how soon they are guessed is exponential in the signs that stand for letters."""
import time

import pytest

import config
from chat import create_app
from chat.accounts import passwords
from chat.errors import Invalid

MAX_ESTIMATE_SECONDS = 0.2      # on a busy machine; 32 characters would take 0.4 to 1.6


@pytest.mark.parametrize("password", ["4@8({[<369&#!1/|0$5+7%24@8({[<36", "4@8({[<369&#!1/|", "p4$5w0rdp4$5w0rdp4$5w0rdp4$5w0rd"])
def test_no_password_takes_long_to_estimate(record, password):
    started = time.process_time()
    passwords.validate(password)
    assert record(None, "estimate", time.process_time() - started, "s") < MAX_ESTIMATE_SECONDS


@pytest.mark.parametrize("password", ["ｐａｓｓｗｏｒｄ１", "ＰＡＳＳＷＯＲＤ1", "a" * 20, "1" * 20])
def test_what_is_guessed_at_once_is_refused_in_the_form_that_is_compared(password):
    with pytest.raises(Invalid):
        passwords.validate(password)


def test_the_event_loop_does_not_wait_for_an_estimate(tmp_path, monkeypatch):
    app = create_app(config.load({"INSTANCE_PATH": str(tmp_path), "ASYNC_MODE": "threading", "BCRYPT_ROUNDS": "4"}))
    app.config["WTF_CSRF_ENABLED"] = False
    ran, run_blocking = [], app.runtime.library.run_blocking
    monkeypatch.setattr(app.runtime.library, "run_blocking", lambda function, *arguments: ran.append(function) or run_blocking(function, *arguments))
    answer = app.test_client().post("/register", data={"username": "alice", "password": "password1"})
    assert answer.status_code == 400 and "too common" in answer.text
    assert passwords.validate in ran
    app.chat.database.engine.close()
