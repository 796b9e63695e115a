"""The server's entry: the standard library is patched first, then the chat is made and served."""
import errno
import socket
import sys
import warnings

import config
from tools import command_line
from tools.addresses import PORTS_TRIED, WILDCARDS, addresses, note, other_port

PROBE_SECONDS = 0.3         # for an answer on this machine


def patch(mode):
    """Make the standard library yield instead of block, before anything else imports it."""
    if mode == "eventlet":
        warnings.filterwarnings("ignore", message="\\s*Eventlet is deprecated")
        if "_py_warnings" in sys.modules:       # from Python 3.14 on it keeps a lock that nobody takes; eventlet would report it
            sys.modules["_py_warnings"]._lock = warnings._lock
        try:
            import eventlet
        except ModuleNotFoundError:
            raise missing(mode) from None
        # Files are read and written in real threads, each of which would open an event loop of its own at its first green os.open().
        eventlet.monkey_patch(os=False)
        know_localhost()
    elif mode == "gevent":
        try:
            from gevent import monkey
        except ModuleNotFoundError:
            raise missing(mode) from None
        monkey.patch_all()


def missing(mode):
    return config.ConfigError(f"ASYNC_MODE={mode} needs the package {mode}, which is not installed: `{command_line('run')}` does that"
                              " where there is a wheel of it. ASYNC_MODE=threading needs none.")


def patch_as_set(settings):
    """Patch for ASYNC_MODE. Where nobody has set it and there is no eventlet for this machine, threads serve."""
    try:
        patch(settings["ASYNC_MODE"])
    except config.ConfigError:
        if settings["ASYNC_MODE_FIXED"]:
            raise
        settings["ASYNC_MODE"] = "threading"
        print("There is no eventlet here: ASYNC_MODE=threading serves in its place.", flush=True)


def know_localhost():
    """Let eventlet find localhost where the hosts file does not have it, as on Windows: beside that file it asks DNS alone."""
    from eventlet.support import greendns
    if not hasattr(greendns, "HostsResolver"):      # EVENTLET_NO_GREENDNS: the system is asked
        return

    class Hosts(greendns.HostsResolver):
        def _load(self):
            super()._load()
            self._v4.setdefault("localhost", "127.0.0.1")
            self._v6.setdefault("localhost", "::1")
    greendns.resolver = greendns.ResolverProxy(hosts_resolver=Hosts())


def print_on():
    """Escape what the terminal has no character for: the first emoji would end the printing."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def stop_with(sentence):
    print(f"chat: {sentence}", file=sys.stderr)
    raise SystemExit(1)


def listen(runtime, settings):
    """Return a listening socket: at PORT, or where nothing fixes it at 5000 or the next port that is free. Raises OSError."""
    host, port = settings["HOST"], settings["PORT"]
    if settings["PORT_FIXED"]:
        return runtime.listen(host, port)
    for port_tried in range(port, port + PORTS_TRIED):
        try:
            if _answers(WILDCARDS.get(host, host), port_tried):     # macOS lets both listen, and AirPlay may get the visitors
                continue
            listener = runtime.listen(host, port_tried)
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):     # Windows has the second one for what is in use
                raise
            continue
        if port_tried != port:
            print(other_port(port, port_tried), flush=True)
        return listener
    return runtime.listen(host, port)       # which tells why not


def _answers(host, port):
    try:
        socket.create_connection((host, port), PROBE_SECONDS).close()
        return True
    except OSError:
        return False


def main():
    print_on()
    try:
        settings = config.load()
        patch_as_set(settings)
        from chat.storage.instance import hold_instance
        hold_instance(settings["INSTANCE_PATH"], is_shared=bool(settings["REDIS_URL"]))
        from chat import create_app
        from chat.web.log_stream import start_logging
        from chat.live.runtime import Runtime
        from chat.live.shutdown import stop_on_signals
        start_logging(Runtime(settings["ASYNC_MODE"]).start_thread)
        app = create_app(settings)
    except config.ConfigError as error:
        stop_with(error)
    try:
        listener = listen(app.runtime, settings)
    except OSError as error:
        stop_with(f"cannot listen on {settings['HOST']}:{settings['PORT']}: {error.strerror or error}. "
                  "Where another program uses the port, PORT=5001 chooses another.")
    stop_on_signals(app)
    app.chat.start()
    if not settings["PROXIES"]:     # people, and the doctor, ask the proxy
        note(settings["INSTANCE_PATH"], *listener.getsockname()[:2])
    print(f"The chat is at {addresses(*listener.getsockname()[:2])} (Ctrl+C ends it)", flush=True)
    app.runtime.serve(app, listener)


if __name__ == "__main__":
    main()
