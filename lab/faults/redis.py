"""Redis dies, freezes, or forgets everything."""
import time

from .registry import SELDOM, SERVER, fault

AWAY_SECONDS = 2
FROZEN_SECONDS = 30
NOTICED_SECONDS = 2         # within which everybody is out whose session is gone: only then is the fault over


@fault("Redis restarted", SERVER)
def restarted(world):
    world.redis.kill()
    time.sleep(world.dice.random() * AWAY_SECONDS)
    expect_closed_door(world)
    world.redis.start()
    world.wait_until_ready()
    time.sleep(NOTICED_SECONDS)


@fault("Redis frozen 30 s", SERVER, times=SELDOM)
def frozen(world):
    world.redis.pause()
    time.sleep(FROZEN_SECONDS)
    world.redis.resume()
    world.wait_until_ready()


@fault("Redis flushed", SERVER)
def flushed(world):
    with world.redis.connect() as client:
        client.flushall()
    expect_closed_door(world)
    time.sleep(NOTICED_SECONDS)


def expect_closed_door(world):
    """Nobody gets in without a session: the old cookie opens nothing."""
    answer = world.accounts["eva"].get("/users", headers={"Accept": "application/json"})
    if answer.status_code not in (401, 503):
        world.record.note("breach", promise="P8", text=f"without a session /users was answered {answer.status_code}")
