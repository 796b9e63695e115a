"""The server's wall clock, or the browser's, is an hour off and steps back."""
import time

from .registry import BESIDES, fault

HOUR = 3600                 # seconds
BETWEEN_SECONDS = 1


@fault("clock one hour off, stepping back", needs=lambda world: world.clock.possible)
def server_clock(world):
    for offset in (HOUR, -HOUR, 0):
        world.clock.set(offset)
        time.sleep(BETWEEN_SECONDS)


@fault("browser's clock stepping back", times=BESIDES, needs=lambda world: bool(world.sitters))
def browser_clock(world):
    for sitter in world.sitters.values():
        for offset in (HOUR, -HOUR, 0):
            sitter.set_clock(offset)
    time.sleep(BETWEEN_SECONDS)
