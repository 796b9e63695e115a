"""Redis is killed, freezes, or loses all its data."""
import time

from .registry import TIMES_SLOW, SERVER, fault

DOWN_SECONDS = 2
FROZEN_SECONDS = 30
NOTICED_SECONDS = 2         # until everybody whose session is gone was disconnected: only then is the fault over


@fault("Redis restarted", SERVER)
def restarted(environment):
    environment.redis.kill()
    time.sleep(environment.rng.random() * DOWN_SECONDS)
    expect_refusal(environment)
    environment.redis.start()
    environment.wait_until_ready()
    time.sleep(NOTICED_SECONDS)


@fault("Redis frozen 30 s", SERVER, times=TIMES_SLOW)
def frozen(environment):
    environment.redis.pause()
    time.sleep(FROZEN_SECONDS)
    environment.redis.resume()
    environment.wait_until_ready()


@fault("Redis flushed", SERVER)
def flushed(environment):
    with environment.redis.connect() as client:
        client.flushall()
    expect_refusal(environment)
    time.sleep(NOTICED_SECONDS)


def expect_refusal(environment):
    """The cookie of a session that is gone must not be accepted."""
    answer = environment.accounts["eva"].get("/users", headers={"Accept": "application/json"})
    if answer.status_code not in (401, 503):
        environment.note_violation("P8", f"without a session /users was answered {answer.status_code}")
