"""The connections that the proxy carries: who says what to whom. Everything here runs in the proxy's thread."""
import socket

from .accidents import HEAD_END, begins_request, body_length
from .ends import End, abort

LONGEST_HEAD = 64 * 1024    # bytes; what is longer is no request


class Carrier:
    """Something with ends, which the proxy watches over; each of them tells it what happens there."""

    def __init__(self, proxy, *ends):
        self.proxy = proxy
        self.ends = ends
        self.closed = False
        proxy.add(self)

    def has_room(self, end):
        """Tell whether the end may hear more now."""
        return True

    def connected(self, end):
        """The end's connection to the target has been made."""

    def heard(self, end, data):
        """The program at the end has said something."""
        raise NotImplementedError

    def heard_all(self, end):
        """The program at the end will say no more."""
        raise NotImplementedError

    def broken(self, error):
        """The connection of one end was reset or refused."""
        raise NotImplementedError

    def settle(self):
        """After something has happened: wait for what can happen now, or close when all is said."""
        if not self.closed and all(end.heard_all and end.shut for end in self.ends):
            self.close()
        if not self.closed:
            self.proxy.watch(self)

    def close(self):
        """Close all connections."""
        self._leave(socket.socket.close)

    def abort(self):
        """End all connections with a RST."""
        self._leave(abort)

    def _leave(self, close):
        if not self.closed:
            self.closed = True
            self.proxy.discard(self)
            for end in self.ends:
                close(end.socket)


class Link(Carrier):
    """A client's connection and one to the target: what one says the other hears, unless an accident happens."""

    def __init__(self, proxy, connection):
        self.client = End(connection, self)
        self.lost = None            # the accident that the target's next byte sets off
        self.held = None            # a request that is gathered, in case it is to be repeated
        self.doubled = False        # it is: it waits for the second connection
        self.repeat = None
        self.target = End.towards(proxy.target, self)
        super().__init__(proxy, self.client, self.target)

    def has_room(self, end):
        return not self._other(end).waiting

    def heard(self, end, data):
        if end is self.client:
            self._hear_client(data)
        elif self.lost:
            self.close()
            self.lost.happened.set()
        else:
            self.client.write(data)
            if self.repeat and self.held is None:
                self.repeat.first.add(data)
                self.repeat.check(self.proxy)

    def heard_all(self, end):
        if end is self.client:
            self.release()
        elif self.lost:
            self.close()
            return
        self._other(end).finish()

    def broken(self, error):
        if isinstance(error, ConnectionRefusedError):
            self.close()
        else:
            self.abort()

    def _other(self, end):
        return self.target if end is self.client else self.client

    def _hear_client(self, data):
        if self.held is None and self.proxy.repeats and begins_request(data):
            self.held, self.repeat = bytearray(), None
        if self.held is None:
            self._pass_on(data)
        else:
            self.held += data
            self._consider()

    def _consider(self):
        """Look at the request that is gathered: is it one to repeat, and is it whole?"""
        head, head_ended, body = self.held.partition(HEAD_END)
        if self.doubled or not head_ended and len(self.held) <= LONGEST_HEAD:
            return
        if head_ended and not self.repeat:
            self.repeat = self.proxy.take_repeat(head)
        if not self.repeat:
            self.release()
        elif len(body) >= body_length(head):
            self._double(self.held[:len(head) + len(HEAD_END) + body_length(head)])

    def _double(self, request):
        self.doubled = True
        try:
            Twin(self, request)
        except OSError:
            self.release()

    def release(self):
        """Pass on what was gathered."""
        if self.closed or self.held is None:
            return
        data, self.held, self.doubled = self.held, None, False
        try:
            self._pass_on(data)
        except OSError as error:
            self.broken(error)
        self.settle()

    def _pass_on(self, data):
        found = [loss for loss in self.proxy.losses if loss.found_in(self, data)]
        if found and not self.lost:
            self.lost = found[0]
            self.proxy.losses.remove(self.lost)
        self.target.write(data)


class Twin(Carrier):
    """The second sending of a link's request, over a connection of its own."""

    def __init__(self, link, request):
        self.link = link
        self.repeat = link.repeat
        end = End.towards(link.proxy.target, self)
        end.write(request)
        super().__init__(link.proxy, end)

    def connected(self, end):
        self.link.release()     # the first sending waited, so that both go at the same time

    def heard(self, end, data):
        self._keep(data)

    def heard_all(self, end):
        self._keep(b"", ended=True)
        self.close()

    def broken(self, error):
        self.link.release()
        self.close()

    def _keep(self, data, ended=False):
        self.repeat.second.add(data, ended)
        self.repeat.check(self.proxy)
        if self.repeat.second.whole:
            self.close()
