"""What is said: conversations, messages, the writer that stores them, and their pages.

It may import `accounts`, `web` and `storage`. Start reading at message.py, then writer.py.
"""
