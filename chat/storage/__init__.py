"""Where everything is kept: the database in either engine, its migrations, Redis, session stores, counters, private files.

It imports nothing of the chat but its errors and its clock, and knows no noun of it: no user, no message.
Start reading at database.py.
"""
