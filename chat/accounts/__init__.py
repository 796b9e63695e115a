"""Who somebody is: users, usernames, passwords, registering and logging in.

It may import `web` and `storage`. Start reading at user.py, then auth_controller.py.
"""
