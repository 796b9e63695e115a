"""The fuzzer: whatever a client sends, in whatever order, the server must go on serving everybody else. See __main__.py."""
