"""Sessions, presence and limits: in Redis if there is one, else in files and memory. Only this file knows which."""
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
    """The state outside the database, with the same interface in both modes."""

    sessions: object
    presence: Presence
    budgets: Budgets            # rate limits, of all processes together or of this one
    bus: object                 # publishes events to the other processes
    ping: object                # raises Unavailable if Redis does not answer


def open_backends(settings):
    """Return the backends that the settings name. Raises ConfigError if Redis does not answer, or a folder cannot be used."""
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
