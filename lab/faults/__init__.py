"""The matrix of faults, a module for each thing that breaks."""
from . import browser, clock, cluster, database, network, people, redis, server     # noqa: F401 - each adds its own
from .registry import FAULTS, Fault

__all__ = ["FAULTS", "Fault"]
