"""The fault-injection suite: makes every part of a running chat fail, and checks that the delivery invariants still hold."""
