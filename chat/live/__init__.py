"""What happens at once: live connections, their events, presence, and the bus between processes.

It may import every other package; only `create_app` imports it. Start reading at sockets.py.
"""
