"""The fuzzer: whatever a client sends, in whatever order, the server goes on for everybody else. See __main__.py."""
