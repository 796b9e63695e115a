"""The benchmark: the chat and the report's own stack side by side, in turns, on one machine.

Read `rows.py` for what is measured and the bars, `talk.py`, `crowd.py`, `store.py` and `pages.py` for how, `subjects.py` for
what runs, and `load/` for who uses it.
"""
