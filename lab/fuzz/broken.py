"""The chat as the fuzzer is tried on: `python -m lab.fuzz.broken`, with FUZZ_BREAK naming what is broken in it, if anything.

A fuzzer that finds nothing in these has shown nothing. Each is reached by a dialogue alone that goes some way into the protocol.
"""
import os

import wsgi


def fault():
    """An event's handler that stumbles over a field of another kind."""
    from chat.live import events
    require_int = events.require_int
    events.require_int = lambda value, name: require_int(value + 0, name)


def stall():
    """A refusal that takes the processor half a second."""
    from chat.live import events, sockets
    from chat.live.runtime import Runtime
    require_fields, sleep = events.require_fields, Runtime(os.environ["ASYNC_MODE"]).thread_sleep

    def slow(payload, *names):
        if not isinstance(payload, dict):
            sleep(0.5)
        return require_fields(payload, *names)
    events.require_fields = sockets.require_fields = slow


def leak():
    """A transport that is forgotten nowhere once its client has said that it leaves."""
    from chat.live.transports import Transports
    closed = Transports.closed

    def forgetful(self, eio_sid, reason):
        closed(self, eio_sid, reason)
        if reason == "client disconnect":
            self.guard.sessions[eio_sid] = None
    Transports.closed = forgetful


def death():
    """A packet that ends the process."""
    from chat.live.packets import TextPacket
    decode = TextPacket.decode

    def fatal(self, encoded_packet):
        if encoded_packet[:1] in ("5", "6"):
            os._exit(3)
        return decode(self, encoded_packet)
    TextPacket.decode = fatal


def deaf():
    """A refused packet that closes everybody's connections."""
    from chat.live.transports import Transports
    close = Transports.close

    def close_all(self, eio_sid):
        for sid in list(self.opened):
            close(self, sid)
    Transports.close = close_all


BREAKS = {broken.__name__: broken for broken in (fault, stall, leak, death, deaf)}


def main():
    patch = wsgi.patch

    def patch_and_break(mode):
        patch(mode)
        BREAKS.get(os.environ.get("FUZZ_BREAK", ""), lambda: None)()
    wsgi.patch = patch_and_break
    wsgi.main()


if __name__ == "__main__":
    main()
