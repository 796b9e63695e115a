"""The faults. Each module contains those of one part of the system."""
from . import browser, changes, clock, cluster, database, files, network, people, redis, rooms, server     # noqa: F401 - importing them fills the list
from .registry import FAULTS, Fault

__all__ = ["FAULTS", "Fault"]
