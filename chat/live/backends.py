"""The one place that knows whether there is a Redis: sessions, presence and limits in it, or in files and memory."""
import secrets
from dataclasses import dataclass
from pathlib import Path

import redis

from config import ConfigError

from ..budgets import Budgets
from ..storage.limits import MemoryLimits, RedisLimits
from ..storage.redis_client import open_client
from ..storage.session_stores import FileSessions, RedisSessions
from .bus import LocalBus, RedisBus
from .presence import MemoryRegistry, Presence, RedisRegistry


@dataclass
class Backends:
    """What is kept beside the database, each in the same shape in both modes."""

    sessions: object
    presence: Presence
    budgets: Budgets            # what may be done how often, counted in limits of all processes or of this one
    bus: object                 # tells the other processes, where there are any
    ping: object                # raises Unavailable where Redis does not answer


def open_backends(settings):
    """Return the backends that the settings name. Raises ConfigError where Redis does not answer."""
    enabled = settings["RATELIMIT_ENABLED"]
    local_limits = MemoryLimits(enabled)
    if not settings["REDIS_URL"]:
        try:
            sessions = FileSessions(str(Path(settings["INSTANCE_PATH"]) / "sessions"))
        except OSError as error:
            raise ConfigError(f"Sessions cannot be kept: {error}") from error
        return Backends(sessions, Presence(MemoryRegistry()), Budgets(settings, local_limits, local_limits), LocalBus(), ping=lambda: True)
    try:
        client = open_client(settings["REDIS_URL"])
    except (redis.RedisError, ValueError, OSError) as error:
        raise ConfigError(f"Redis cannot be used: {error}") from error
    process_id = secrets.token_hex(8)
    bus = RedisBus(client, process_id)
    presence = Presence(RedisRegistry(client, process_id), on_lease_lost=bus.request_catch_up)
    budgets = Budgets(settings, RedisLimits(client, enabled), local_limits)
    return Backends(RedisSessions(client), presence, budgets, bus, ping=client.ping)
