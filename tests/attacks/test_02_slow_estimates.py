"""Passwords of l33t: the estimate of how soon they are guessed is exponential in the signs that stand for letters."""
import time

import pytest

from chat.accounts import passwords
from chat.errors import Invalid

MAX_ESTIMATE_SECONDS = 0.2      # on a busy machine; 0.4 to 1.6 for 32 characters before


@pytest.mark.parametrize("password", ["4@8({[<369&#!1/|0$5+7%24@8({[<36", "4@8({[<369&#!1/|", "p4$5w0rdp4$5w0rdp4$5w0rdp4$5w0rd"])
def test_no_password_takes_long_to_estimate(record, password):
    started = time.process_time()
    passwords.validate(password)
    assert record(None, "estimate", time.process_time() - started, "s") < MAX_ESTIMATE_SECONDS


@pytest.mark.parametrize("password", ["ｐａｓｓｗｏｒｄ１", "ＰＡＳＳＷＯＲＤ1", "a" * 20, "1" * 20])
def test_what_is_guessed_at_once_is_refused_in_the_form_that_is_compared(password):
    with pytest.raises(Invalid):
        passwords.validate(password)
