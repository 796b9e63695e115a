"""An ExitStack whose set-up may fail half-way: what was begun until then is ended."""
import contextlib


class SetUpStack(contextlib.ExitStack):
    """Calls `set_up()` on entry."""

    def __enter__(self):
        super().__enter__()
        try:
            self.set_up()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self
