"""The figures of a run: several rounds of each measurement. The median counts."""
import statistics
from collections import defaultdict


class Results:
    """`add("saturated", "chat", figures)` adds the figures of a round; `median("saturated", "chat", "cpu_us")` returns their median."""

    def __init__(self, rounds=None):
        self.rounds = defaultdict(list, rounds or {})

    def add(self, what, who, figures):
        self.rounds[f"{what} {who}"].append(figures)

    def has(self, what, *whos):
        return all(self.rounds.get(f"{what} {who}") for who in whos)

    def median(self, what, who, figure):
        return statistics.median(figures[figure] for figures in self.rounds[f"{what} {who}"])

    def part(self, what, who, part):
        return statistics.median(figures["parts"].get(part, 0) for figures in self.rounds[f"{what} {who}"])
