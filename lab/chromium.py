"""One person's Chromium, with a process group and a profile directory of its own. It is started again when it has died."""
import asyncio
import contextlib
import os
import signal
import tempfile
from pathlib import Path

from playwright.async_api import Error

from tools import programs

CALL_SECONDS = 5
START_SECONDS = 20
REMOVE_ATTEMPTS = 20        # attempts to remove the directory, 0.1 s apart
IN_PAGE = Path(__file__).with_name("in_page.js").read_text(encoding="utf-8")
FAILURES = (Error, asyncio.TimeoutError)        # what a call raises when the page, the browser or the server is gone

# Like a proxy that blocks WebSockets.
NO_WEBSOCKET = """
window.WebSocket = class extends EventTarget {
  constructor() {
    super();
    setTimeout(() => { this.onerror?.(new Event('error')); this.onclose?.(new CloseEvent('close')); });
  }
  close() {}
};
"""


def with_timeout(call, seconds=CALL_SECONDS):
    """Await a call that has no timeout of its own. Raises asyncio.TimeoutError."""
    return asyncio.wait_for(call, seconds)


class Chromium:
    """Keeps cookies, clock and offline state when the browser dies. Call all methods from the browsers' thread."""

    def __init__(self, playwright, url, cookies, websockets):
        self.playwright, self.url, self.cookies, self.websockets = playwright, url, cookies, websockets
        self.clock = 0        # seconds of difference to the right time
        self.is_offline = False
        self.directory = tempfile.TemporaryDirectory(prefix="chat-browser-", ignore_cleanup_errors=True)
        self.context = self.pid = self.clock_script = None
        self.start_lock, self.state_lock = asyncio.Lock(), asyncio.Lock()

    async def new_page(self):
        """Open an empty tab. Start the browser first if none is running."""
        async with self.start_lock:
            if self.context is None:
                await self._start()
        return await with_timeout(self._running.new_page())

    @property
    def _running(self):
        if self.context is None:
            raise Error("The browser is gone.")
        return self.context

    async def _start(self):
        context = await self.playwright.chromium.launch_persistent_context(
            f"{self.directory.name}/profile", executable_path=programs.CHROMIUM.path(), locale="en-GB",
            offline=self.is_offline, timeout=START_SECONDS * 1000,
            env={**os.environ, "TMPDIR": self.directory.name})      # a killed browser leaves files there
        self.pid = await self._process_id(context)
        context.set_default_timeout(CALL_SECONDS * 1000)
        context.on("close", self._closed)
        if not self.websockets:
            await with_timeout(context.add_init_script(NO_WEBSOCKET))
        await with_timeout(context.add_init_script(IN_PAGE))
        self.clock_script = await with_timeout(context.add_init_script(self._clock_call))
        if not await with_timeout(context.cookies(self.url)):
            await with_timeout(context.add_cookies(self.cookies))
        self.context = context

    @staticmethod
    async def _process_id(context):
        session = await with_timeout(context.browser.new_browser_cdp_session())
        processes = (await with_timeout(session.send("SystemInfo.getProcessInfo")))["processInfo"]
        await with_timeout(session.detach())
        return next(process["id"] for process in processes if process["type"] == "browser")

    def _closed(self, context):
        if context is self.context:
            self.context = None

    async def save_cookies(self):
        """Keep the current cookies for the next browser, because a killed one may lose them."""
        self.cookies = await with_timeout(self._running.cookies(self.url))

    async def kill(self):
        """Kill the browser with all its processes, as a power cut would, and wait until it is gone."""
        async with self.start_lock:
            if self.context is None:
                return
            self.context = None
            # Playwright makes the browser the leader of a process group.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            with contextlib.suppress(asyncio.TimeoutError):
                await with_timeout(self._end_of(self.pid))

    @staticmethod
    async def _end_of(pid):
        with contextlib.suppress(ProcessLookupError):
            while True:
                os.kill(pid, 0)
                await asyncio.sleep(0.01)

    async def set_offline(self, is_offline):
        """Disconnect all pages from the network, or connect them again."""
        async with self.state_lock:
            self.is_offline = is_offline
            with contextlib.suppress(*FAILURES):        # if the browser is gone, the next one starts with this state
                await with_timeout(self._running.set_offline(is_offline))

    async def set_clock(self, seconds):
        """Shift the wall clock of all present and future pages by so many seconds."""
        async with self.state_lock:
            self.clock = seconds
            with contextlib.suppress(*FAILURES):
                await with_timeout(self.clock_script.close())
                self.clock_script = await with_timeout(self._running.add_init_script(self._clock_call))
            for page in self.context.pages if self.context else ():
                with contextlib.suppress(*FAILURES):
                    await with_timeout(page.evaluate(self._clock_call))

    @property
    def _clock_call(self):
        return f"lab.setClock({self.clock})"

    async def close(self):
        """End the browser and remove its directory."""
        if self.context:
            context = self.context
            try:
                await with_timeout(context.close())
            except FAILURES:
                await self.kill()
        for _try in range(REMOVE_ATTEMPTS):        # the last of its processes may still be writing
            self.directory.cleanup()
            if not os.path.exists(self.directory.name):
                break
            await asyncio.sleep(0.1)
