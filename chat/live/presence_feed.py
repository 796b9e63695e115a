"""PresenceFeed: keeps every connection informed of who is online.

A connection is in one of two states. It awaits its snapshot: a first list of all who are online. Once it has it, it is in
PRESENCE_ROOM, which gets a delta at most once in PRESENCE_WINDOW: who came and who went since the last one.
"""
import contextlib
import logging
import time

log = logging.getLogger(__name__)

PRESENCE_WINDOW = 1         # second between two deltas
COALESCE_SECONDS = 0.02     # connections that open within this time are answered together
PRESENCE_ROOM = "presence"  # Socket.IO room of the connections that have their snapshot


class PresenceFeed:
    """Decides which connection is told what."""

    def __init__(self, server, presence):
        self.server = server
        self.presence = presence
        self.awaiting_snapshot = set()      # sids
        self.changed = server.eio.create_event()

    def add(self, sid):
        """Give a new connection its snapshot soon."""
        self.awaiting_snapshot.add(sid)
        self.changed.set()

    def discard(self, sid):
        """Forget a connection that has closed."""
        self.awaiting_snapshot.discard(sid)

    def look_now(self):
        """Look without delay who has come and gone."""
        self.changed.set()

    def loop(self, update):
        """Emit snapshots and deltas for ever; `update(payload, **recipients)` does it."""
        last_sent, last_sent_at, snapshots = frozenset(), 0, {}     # snapshots: ids that were online -> sids that got this list since the last delta
        while True:
            self.changed.wait(PRESENCE_WINDOW)
            self.changed.clear()
            self.server.sleep(COALESCE_SECONDS)
            try:
                online = self.presence.refresh()
                ready = self._send_snapshots(online, update)
                if ready:
                    snapshots.setdefault(online, []).extend(ready)
                if time.monotonic() - last_sent_at >= PRESENCE_WINDOW and (online != last_sent or snapshots):
                    send_deltas(last_sent, online, snapshots, update)
                    last_sent, last_sent_at, snapshots = online, time.monotonic(), {}
            except Exception:
                log.exception("presence goes on after an error")

    def _send_snapshots(self, online, update):
        """Send the snapshot to those who await it and return them. Others are still being confirmed, in another thread."""
        ready = [sid for sid in list(self.awaiting_snapshot) if self.server.manager.is_connected(sid, "/")]
        self.awaiting_snapshot.difference_update(ready)
        if self.awaiting_snapshot:
            self.changed.set()
        if ready:
            update({"snapshot": True, "online": sorted(online)}, to=ready)
            for sid in ready:
                with contextlib.suppress(KeyError, ValueError):     # it has closed meanwhile
                    self.server.enter_room(sid, PRESENCE_ROOM)
        return ready


def send_deltas(last_sent, online, snapshots, update):
    """Send each connection what has changed since its last list: since its snapshot if that is recent, else since the last delta."""
    with_snapshot = [sid for sids in snapshots.values() for sid in sids]
    update(delta(last_sent, online), to=PRESENCE_ROOM, skip_sid=with_snapshot)
    for snapshot, sids in snapshots.items():
        update(delta(snapshot, online), to=sids)


def delta(before, online):
    return {"snapshot": False, "online": sorted(online - before), "offline": sorted(before - online)}
