"""A TCP proxy between the clients on this machine and one of its servers. It can inject network faults."""
import collections
import concurrent.futures
import contextlib
import selectors
import socket
import threading

from .proxy_faults import LostAnswer, Repeat
from .endpoint import abort
from .proxy_connections import ProxiedConnection

BACKLOG = 1024              # connections that wait while the network is cut
COMMAND_SECONDS = 30        # longest wait for the proxy's thread


class Proxy:
    """Forwards everything between its own port and the target's; a context manager.

    Methods can be called from any thread and have taken effect when they return. One thread moves the bytes; between
    events it runs the commands of the others.
    """

    def __init__(self, target_port, host="127.0.0.1"):
        self.target = (host, target_port)
        self.port = None
        self.repeated = b""     # the second response to a repeated request
        self.losses = []        # faults that wait for their bytes
        self.repeats = []
        self._channels = set()      # everything with sockets: proxied connections and repeated requests
        self._cut = False
        self._selector = self._listener = None
        self._commands = collections.deque()
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
        with contextlib.suppress(RuntimeError):     # the thread has ended already
            self._run_in_thread(self._end)
        self._thread.join()

    # --- faults ---------------------------------------------------------------------------------------------------

    def cut(self):
        """Cut the network: existing connections stay open, new ones hang, and nobody sees that the other side has closed."""
        self._run_in_thread(self._set_cut, True)

    def heal(self):
        """End the cut. What was buffered passes, including the end of connections."""
        self._run_in_thread(self._set_cut, False)

    def reset(self):
        """End every connection with a RST on both sides."""
        self._run_in_thread(self._reset)

    def lose_answer(self, match):
        """Lose the response to the next data that contain these bytes, and close both sides.

        Returns an Event, which is set when the target's response begins and is lost. If the target closes without
        a response, the Event is never set.
        """
        return self._arm(self.losses, LostAnswer(match))

    def repeat(self, match):
        """Send the next HTTP request whose head contains these bytes twice at the same time, over two connections.

        Returns an Event, which is set when both have a response. The client gets the first one; `repeated` is the other.
        A request is recognised if it is at the beginning of a read; a body needs a Content-Length.
        """
        return self._arm(self.repeats, Repeat(match))

    def disarm(self):
        """Cancel the responses to lose and the requests to repeat that have not happened yet."""
        self._run_in_thread(lambda: (self.losses.clear(), self.repeats.clear()))

    @property
    def connections(self):
        """How many connections are open, without those that hang during a cut."""
        return sum(isinstance(channel, ProxiedConnection) for channel in tuple(self._channels))

    def _arm(self, waiting_faults, proxy_fault):
        self._run_in_thread(waiting_faults.append, proxy_fault)
        return proxy_fault.happened

    def _set_cut(self, cut):
        if cut == self._cut:
            return
        self._cut = cut
        if cut:
            self._selector.unregister(self._listener)
        else:
            self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        for channel in self._channels:
            self.watch(channel)

    def _reset(self):
        while connection := self._next_client():
            abort(connection)
        for channel in tuple(self._channels):
            channel.abort()

    # --- the thread -----------------------------------------------------------------------------------------------

    def _run_in_thread(self, function, *arguments):
        """Run a function in the proxy's thread, between two events, and wait for its end."""
        order = concurrent.futures.Future()
        with self._lock:
            if self._ended:
                raise RuntimeError("the proxy is closed")
            self._commands.append((order, function, arguments))
            self._waker.send(b"!")
        order.result(COMMAND_SECONDS)

    def _run(self):
        try:
            while not self._ended:
                for key, events in self._selector.select():
                    key.data(events)
                self._run_commands()
        finally:
            self._close()

    def _run_commands(self):
        while self._commands:
            order, function, arguments = self._commands.popleft()
            try:
                order.set_result(function(*arguments))
            except Exception as error:
                order.set_exception(error)

    def _end(self):
        self._ended = True

    def _close(self):
        with self._lock:
            self._ended = True
        self._run_commands()
        for channel in tuple(self._channels):
            channel.close()
        self._selector.close()
        for used in (self._listener, self._waker, self._woken):
            used.close()

    def _accept(self, _events):
        if connection := self._next_client():
            try:
                ProxiedConnection(self, connection)
            except OSError:     # the target refuses
                connection.close()

    def _next_client(self):
        try:
            return self._listener.accept()[0]
        except OSError:     # nobody is waiting, or the client has gone
            return None

    # --- for the channels -----------------------------------------------------------------------------------------

    def add(self, channel):
        """Add a channel and wait for events of its `ends`."""
        self._channels.add(channel)
        self.watch(channel)

    def discard(self, channel):
        """Remove a channel whose ends are about to be closed."""
        self._channels.discard(channel)
        for end in channel.ends:
            self._watch(end, 0)

    def take_repeat(self, head):
        """Return the Repeat that waits for such a head and remove it from the list; None if there is none."""
        found = next((repeat for repeat in self.repeats if repeat.match in head), None)
        if found:
            self.repeats.remove(found)
        return found

    def watch(self, channel):
        """Tell the selector what the ends of a channel wait for now."""
        for end in channel.ends:
            self._watch(end, 0 if self._cut else end.events())

    def _watch(self, end, events):
        if events == end.watched_events:
            return
        if not end.watched_events:
            self._selector.register(end.socket, events, end.handle)
        elif not events:
            self._selector.unregister(end.socket)
        else:
            self._selector.modify(end.socket, events, end.handle)
        end.watched_events = events
