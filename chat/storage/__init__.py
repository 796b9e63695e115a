"""Everything that stores: the database on either engine, its migrations, Redis, session stores, rate limits, private files.

Of the chat it imports only the errors and the clock; it knows neither users nor messages.
Start reading at database.py.
"""
