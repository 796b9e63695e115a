"""The connections of the proxy. Everything here runs in the proxy's thread."""
import socket

from .endpoint import Endpoint, abort
from .http_bytes import HEAD_END, begins_request, body_length

MAX_HEAD_BYTES = 64 * 1024    # longer data is not an HTTP request


class Channel:
    """Something with `ends`, each an Endpoint that reports its events here."""

    def __init__(self, proxy, *ends):
        self.proxy = proxy
        self.ends = ends
        self.closed = False
        proxy.add(self)

    def has_room(self, end):
        """Tell whether the end may read more now."""
        return True

    def on_connected(self, end):
        """The end's connection to the target was established."""

    def on_data(self, end, data):
        """The end has received data."""
        raise NotImplementedError

    def on_eof(self, end):
        """The end has received EOF."""
        raise NotImplementedError

    def on_error(self, error):
        """The end's connection was reset or refused."""
        raise NotImplementedError

    def update(self):
        """After an event: update what the selector waits for, or close if both directions of every end are finished."""
        if not self.closed and all(end.read_closed and end.write_closed for end in self.ends):
            self.close()
        if not self.closed:
            self.proxy.watch(self)

    def close(self):
        """Close all sockets."""
        self._leave(socket.socket.close)

    def abort(self):
        """Close all sockets with a RST."""
        self._leave(abort)

    def _leave(self, close):
        if not self.closed:
            self.closed = True
            self.proxy.discard(self)
            for end in self.ends:
                close(end.socket)


class ProxiedConnection(Channel):
    """A client's connection and its connection to the target. Data is forwarded between them, unless a fault happens."""

    def __init__(self, proxy, connection):
        self.client = Endpoint(connection, self)
        self.pending_loss = None    # the fault that happens with the target's next data
        self.buffered = None        # a request that is collected because it may have to be repeated
        self.is_repeating = False   # the request is being repeated: it waits for the second connection
        self.repeat = None
        self.target = Endpoint.towards(proxy.target, self)
        super().__init__(proxy, self.client, self.target)

    def has_room(self, end):
        return not self._other(end).send_buffer

    def on_data(self, end, data):
        if end is self.client:
            self._on_client_data(data)
        elif self.pending_loss:
            self.close()
            self.pending_loss.happened.set()
        else:
            self.client.write(data)
            if self.repeat and self.buffered is None:
                self.repeat.first.add(data)
                self.repeat.check(self.proxy)

    def on_eof(self, end):
        if end is self.client:
            self.release()
        elif self.pending_loss:
            self.close()
            return
        self._other(end).finish()

    def on_error(self, error):
        if isinstance(error, ConnectionRefusedError):
            self.close()
        else:
            self.abort()

    def _other(self, end):
        return self.target if end is self.client else self.client

    def _on_client_data(self, data):
        if self.buffered is None and self.proxy.repeats and begins_request(data):
            self.buffered, self.repeat = bytearray(), None
        if self.buffered is None:
            self._pass_on(data)
        else:
            self.buffered += data
            self._check_request()

    def _check_request(self):
        """Look at the collected request: does it have to be repeated, and is it complete?"""
        head, head_ended, body = self.buffered.partition(HEAD_END)
        if self.is_repeating or not head_ended and len(self.buffered) <= MAX_HEAD_BYTES:
            return
        if head_ended and not self.repeat:
            self.repeat = self.proxy.take_repeat(head)
        if not self.repeat:
            self.release()
        elif len(body) >= body_length(head):
            self._repeat_request(self.buffered[:len(head) + len(HEAD_END) + body_length(head)])

    def _repeat_request(self, request):
        self.is_repeating = True
        try:
            RepeatedRequest(self, request)
        except OSError:
            self.release()

    def release(self):
        """Forward the collected data."""
        if self.closed or self.buffered is None:
            return
        data, self.buffered, self.is_repeating = self.buffered, None, False
        try:
            self._pass_on(data)
        except OSError as error:
            self.on_error(error)
        self.update()

    def _pass_on(self, data):
        found = [loss for loss in self.proxy.losses if loss.found_in(self, data)]
        if found and not self.pending_loss:
            self.pending_loss = found[0]
            self.proxy.losses.remove(self.pending_loss)
        self.target.write(data)


class RepeatedRequest(Channel):
    """Sends a request the second time, over a connection of its own."""

    def __init__(self, link, request):
        self.link = link
        self.repeat = link.repeat
        end = Endpoint.towards(link.proxy.target, self)
        end.write(request)
        super().__init__(link.proxy, end)

    def on_connected(self, end):
        self.link.release()     # the first request has waited for this, so that both arrive at the same time

    def on_data(self, end, data):
        self._keep(data)

    def on_eof(self, end):
        self._keep(b"", ended=True)
        self.close()

    def on_error(self, error):
        self.link.release()
        self.close()

    def _keep(self, data, ended=False):
        self.repeat.second.add(data, ended)
        self.repeat.check(self.proxy)
        if self.repeat.second.is_complete:
            self.close()
