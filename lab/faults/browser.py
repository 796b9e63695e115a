"""The tab is loaded again, crashes, or the whole browser is killed, before the acknowledgement."""
import time

from .registry import BESIDES, fault

ANSWER_SECONDS = 30


def has_browsers(world):
    return bool(world.sitters)


def some_tab(world):
    sitter = world.dice.choice(list(world.sitters.values()))
    return sitter, world.dice.choice(list(sitter.tabs))


@fault("tab loaded again before the acknowledgement", needs=has_browsers)
def reloaded(world):
    sitter, tab = some_tab(world)
    sitter.reload(tab).result(ANSWER_SECONDS)


@fault("tab crashed before the acknowledgement", needs=has_browsers)
def crashed(world):
    sitter, tab = some_tab(world)
    sitter.crash(tab).result(ANSWER_SECONDS)


@fault("browser killed", times=BESIDES, needs=has_browsers)
def killed(world):
    sitter, _tab = some_tab(world)
    sitter.kill_browser().result(ANSWER_SECONDS)


@fault("two tabs of one person", needs=has_browsers)
def two_tabs(world):
    """Both write and read at once; that they show the same is checked with everything else."""
    carla = world.sitters["carla"]
    rate, carla.rate = carla.rate, 8
    time.sleep(2)
    carla.rate = rate


@fault("browser offline and back", times=BESIDES, needs=has_browsers)
def offline(world):
    sitter, _tab = some_tab(world)
    sitter.offline(True).result(ANSWER_SECONDS)
    time.sleep(2)
    sitter.offline(False).result(ANSWER_SECONDS)
