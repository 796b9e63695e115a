"""The server's entry: the standard library is patched first, then the chat is made and served."""
import sys
import warnings

import config
from tools import command_line


def patch(mode):
    """Make the standard library yield instead of block, before anything else imports it."""
    if mode == "eventlet":
        warnings.filterwarnings("ignore", message="\\s*Eventlet is deprecated")
        import eventlet
        eventlet.monkey_patch()
    elif mode == "gevent":
        try:
            from gevent import monkey
        except ModuleNotFoundError:
            raise config.ConfigError("ASYNC_MODE=gevent needs the package gevent, which is not installed: "
                                     f"`{command_line('run')}` does that.") from None
        monkey.patch_all()


def stop_with(sentence):
    print(f"chat: {sentence}", file=sys.stderr)
    raise SystemExit(1)


def main():
    try:
        settings = config.load()
        patch(settings["ASYNC_MODE"])
        from chat import create_app
        from chat.printable import start_logging
        from chat.runtime import Runtime
        from chat.stopping import stop_on_signals
        start_logging(Runtime(settings["ASYNC_MODE"]).start_thread)
        app = create_app(settings)
    except config.ConfigError as error:
        stop_with(error)
    try:
        listener = app.runtime.listen(settings["HOST"], settings["PORT"])
    except OSError as error:
        stop_with(f"cannot listen on {settings['HOST']}:{settings['PORT']}: {error.strerror or error}. "
                  "Where another program uses the port, PORT=5001 chooses another.")
    stop_on_signals(app)
    app.chat.start()
    host, port = listener.getsockname()[:2]
    print(f"The chat is at http://{f'[{host}]' if ':' in host else host}:{port} (Ctrl+C ends it)", flush=True)
    app.runtime.serve(app, listener)


if __name__ == "__main__":
    main()
