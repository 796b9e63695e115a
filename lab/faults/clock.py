"""The wall clock of the server or of the browser is an hour off, and goes back."""
import time

from .registry import TIMES_RARE, fault

HOUR = 3600                 # seconds
BETWEEN_SECONDS = 1


@fault("clock one hour off, stepping back", needs=lambda environment: environment.clock.possible)
def server_clock(environment):
    for offset in (HOUR, -HOUR, 0):
        environment.clock.set(offset)
        time.sleep(BETWEEN_SECONDS)


@fault("browser's clock stepping back", times=TIMES_RARE, needs=lambda environment: bool(environment.browser_users))
def browser_clock(environment):
    for browser_user in environment.browser_users.values():
        for offset in (HOUR, -HOUR, 0):
            browser_user.set_clock(offset)
    time.sleep(BETWEEN_SECONDS)
