"""The benchmark: compares the chat with the report's own stack, in turns, on one machine.

`rows.py` has the comparisons and their limits, `talk.py`, `crowd.py`, `store.py` and `pages.py` the measurements,
`subjects.py` the servers that are measured, and `load/` the clients.
"""
