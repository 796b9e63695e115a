"""A tab is reloaded or crashes, or the whole browser is killed, before a message is acknowledged."""
import time

from .registry import TIMES_RARE, fault

ANSWER_SECONDS = 30


def has_browsers(environment):
    return bool(environment.browser_users)


def some_tab(environment):
    browser_user = environment.rng.choice(list(environment.browser_users.values()))
    return browser_user, environment.rng.choice(list(browser_user.tabs))


@fault("tab loaded again before the acknowledgement", needs=has_browsers)
def reloaded(environment):
    browser_user, tab = some_tab(environment)
    browser_user.reload(tab).result(ANSWER_SECONDS)


@fault("tab crashed before the acknowledgement", needs=has_browsers)
def crashed(environment):
    browser_user, tab = some_tab(environment)
    browser_user.crash(tab).result(ANSWER_SECONDS)


@fault("browser killed", times=TIMES_RARE, needs=has_browsers)
def killed(environment):
    browser_user, _tab = some_tab(environment)
    browser_user.kill_browser().result(ANSWER_SECONDS)


@fault("two tabs of one person", needs=has_browsers)
def two_tabs(environment):
    """Both tabs write and read at once. The checkers compare what they show."""
    carla = environment.browser_users["carla"]
    rate, carla.rate = carla.rate, 8
    time.sleep(2)
    carla.rate = rate


@fault("browser offline and back", times=TIMES_RARE, needs=has_browsers)
def offline(environment):
    browser_user, _tab = some_tab(environment)
    browser_user.offline(True).result(ANSWER_SECONDS)
    time.sleep(2)
    browser_user.offline(False).result(ANSWER_SECONDS)
