"""A TCP proxy with accidents, between the clients on this machine and one of its servers."""
import collections
import concurrent.futures
import contextlib
import selectors
import socket
import threading

from .accidents import LostAnswer, Repeat
from .ends import abort
from .links import Link

BACKLOG = 1024              # connections that hang while the network is cut
ORDER_SECONDS = 30          # longest wait for the proxy's thread


class Proxy:
    """Passes everything on between its own port and the target's; use it as a context manager.

    All methods can be called from any thread, and have taken effect when they return: one thread moves the bytes and
    carries out the orders of the others in between.
    """

    def __init__(self, target_port, host="127.0.0.1"):
        self.target = (host, target_port)
        self.port = None
        self.repeated = b""         # the answer to the second one of a repeated request
        self.losses = []            # accidents that wait for their bytes
        self.repeats = []
        self._carriers = set()      # the links, and what else has sockets
        self._cut = False
        self._selector = self._listener = None
        self._orders = collections.deque()
        self._lock = threading.Lock()
        self._ended = True
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)

    def __enter__(self):
        self._listener = socket.create_server((self.target[0], 0), backlog=BACKLOG)
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        self._waker, self._woken = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        self._selector.register(self._woken, selectors.EVENT_READ, lambda _events: self._woken.recv(BACKLOG))
        self._ended = False
        self._thread.start()
        return self

    def __exit__(self, *_exception):
        with contextlib.suppress(RuntimeError):     # it has ended already
            self._order(self._end)
        self._thread.join()

    # --- accidents ------------------------------------------------------------------------------------------------

    def cut(self):
        """Lose everything from now on: connections stay open, new ones hang, and nobody learns that another closed."""
        self._order(self._set_cut, True)

    def heal(self):
        """End the cut: what waited passes, closes included."""
        self._order(self._set_cut, False)

    def reset(self):
        """End every connection with a RST on both sides."""
        self._order(self._reset)

    def lose_answer(self, match):
        """Lose the answer to what next contains these bytes on its way to the target, and close both sides.

        Returns an Event that is set when it has happened: when the target had begun to answer. Where the target closes
        instead of answering it is never set.
        """
        return self._arm(self.losses, LostAnswer(match))

    def repeat(self, match):
        """Send the next HTTP request whose head contains these bytes twice at once, over two connections.

        Returns an Event that is set when both are answered; the client gets the first one's answer, `repeated` holds
        the other. Recognised are requests that begin where a read begins, with a Content-Length if they have a body.
        """
        return self._arm(self.repeats, Repeat(match))

    def disarm(self):
        """Forget the answers to lose and the requests to repeat that have not come yet."""
        self._order(lambda: (self.losses.clear(), self.repeats.clear()))

    @property
    def connections(self):
        """How many are open; those that hang during a cut are not counted."""
        return sum(isinstance(carrier, Link) for carrier in tuple(self._carriers))

    def _arm(self, accidents, accident):
        self._order(accidents.append, accident)
        return accident.happened

    def _set_cut(self, cut):
        if cut == self._cut:
            return
        self._cut = cut
        if cut:
            self._selector.unregister(self._listener)
        else:
            self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        for carrier in self._carriers:
            self.watch(carrier)

    def _reset(self):
        while connection := self._next_client():
            abort(connection)
        for carrier in tuple(self._carriers):
            carrier.abort()

    # --- the thread -----------------------------------------------------------------------------------------------

    def _order(self, function, *arguments):
        """Have the thread call a function between two events, and wait until it has."""
        order = concurrent.futures.Future()
        with self._lock:
            if self._ended:
                raise RuntimeError("the proxy is closed")
            self._orders.append((order, function, arguments))
            self._waker.send(b"!")
        order.result(ORDER_SECONDS)

    def _run(self):
        try:
            while not self._ended:
                for key, events in self._selector.select():
                    key.data(events)
                self._obey()
        finally:
            self._close()

    def _obey(self):
        while self._orders:
            order, function, arguments = self._orders.popleft()
            try:
                order.set_result(function(*arguments))
            except Exception as error:
                order.set_exception(error)

    def _end(self):
        self._ended = True

    def _close(self):
        with self._lock:
            self._ended = True
        self._obey()
        for carrier in tuple(self._carriers):
            carrier.close()
        self._selector.close()
        for used in (self._listener, self._waker, self._woken):
            used.close()

    def _accept(self, _events):
        if connection := self._next_client():
            try:
                Link(self, connection)
            except OSError:     # the target refuses
                connection.close()

    def _next_client(self):
        try:
            return self._listener.accept()[0]
        except OSError:     # nobody waits, or whoever did has gone
            return None

    # --- for the carriers -----------------------------------------------------------------------------------------

    def add(self, carrier):
        """Take in something with `ends`, and pay attention to them."""
        self._carriers.add(carrier)
        self.watch(carrier)

    def discard(self, carrier):
        """Forget something whose ends are about to be closed."""
        self._carriers.discard(carrier)
        for end in carrier.ends:
            self._watch(end, 0)

    def take_repeat(self, head):
        """Return the repeat that waits for a request with such a head, which is no longer waited for; or None."""
        found = next((repeat for repeat in self.repeats if repeat.match in head), None)
        if found:
            self.repeats.remove(found)
        return found

    def watch(self, carrier):
        """Wait for what its ends can do now."""
        for end in carrier.ends:
            self._watch(end, 0 if self._cut else end.events())

    def _watch(self, end, events):
        if events == end.watched:
            return
        if not end.watched:
            self._selector.register(end.socket, events, end.handle)
        elif not events:
            self._selector.unregister(end.socket)
        else:
            self._selector.modify(end.socket, events, end.handle)
        end.watched = events
