"""One person's Chromium: a process group and a directory of its own, started anew whenever it is gone."""
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
REMOVALS = 20               # tries to remove a directory, a tenth of a second apart
IN_PAGE = Path(__file__).with_name("in_page.js").read_text(encoding="utf-8")
FAILURES = (Error, asyncio.TimeoutError)        # of a call, when the page, the browser or the server is gone

# As behind a proxy that lets no WebSocket through.
NO_WEBSOCKET = """
window.WebSocket = class extends EventTarget {
  constructor() {
    super();
    setTimeout(() => { this.onerror?.(new Event('error')); this.onclose?.(new CloseEvent('close')); });
  }
  close() {}
};
"""


def within(call, seconds=CALL_SECONDS):
    """Await a call that has no limit of its own. Raises asyncio.TimeoutError."""
    return asyncio.wait_for(call, seconds)


class Chromium:
    """Cookies, clock and offline it keeps over its own death. All methods belong to the thread of the browsers."""

    def __init__(self, playwright, url, cookies, websockets):
        self.playwright, self.url, self.cookies, self.websockets = playwright, url, cookies, websockets
        self.clock = 0              # seconds
        self.is_offline = False
        self.directory = tempfile.TemporaryDirectory(prefix="chat-browser-", ignore_cleanup_errors=True)
        self.context = self.pid = self.clock_script = None
        self.door, self.switch = asyncio.Lock(), asyncio.Lock()

    async def new_page(self):
        """Open an empty tab; where no browser runs, start one first."""
        async with self.door:
            if self.context is None:
                await self._start()
        return await within(self._running.new_page())

    @property
    def _running(self):
        if self.context is None:
            raise Error("The browser is gone.")
        return self.context

    async def _start(self):
        context = await self.playwright.chromium.launch_persistent_context(
            f"{self.directory.name}/profile", executable_path=programs.CHROMIUM.path(), locale="en-GB",
            offline=self.is_offline, timeout=START_SECONDS * 1000,
            env={**os.environ, "TMPDIR": self.directory.name})      # one that is killed leaves things there
        self.pid = await self._process_id(context)
        context.set_default_timeout(CALL_SECONDS * 1000)
        context.on("close", self._closed)
        if not self.websockets:
            await within(context.add_init_script(NO_WEBSOCKET))
        await within(context.add_init_script(IN_PAGE))
        self.clock_script = await within(context.add_init_script(self._clock_call))
        if not await within(context.cookies(self.url)):
            await within(context.add_cookies(self.cookies))
        self.context = context

    @staticmethod
    async def _process_id(context):
        session = await within(context.browser.new_browser_cdp_session())
        processes = (await within(session.send("SystemInfo.getProcessInfo")))["processInfo"]
        await within(session.detach())
        return next(process["id"] for process in processes if process["type"] == "browser")

    def _closed(self, context):
        if context is self.context:
            self.context = None

    async def remember_cookies(self):
        """Keep the cookies as they are now, for a browser that loses them with its life."""
        self.cookies = await within(self._running.cookies(self.url))

    async def kill(self):
        """Kill the browser with all its processes, as a power cut would, and wait until it is gone."""
        async with self.door:
            if self.context is None:
                return
            self.context = None
            # Playwright starts it as the leader of a process group.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            with contextlib.suppress(asyncio.TimeoutError):
                await within(self._end_of(self.pid))

    @staticmethod
    async def _end_of(pid):
        with contextlib.suppress(ProcessLookupError):
            while True:
                os.kill(pid, 0)
                await asyncio.sleep(0.01)

    async def set_offline(self, is_offline):
        """Take the network away from all pages, or give it back."""
        async with self.switch:
            self.is_offline = is_offline
            with contextlib.suppress(*FAILURES):        # a browser that is gone starts with it
                await within(self._running.set_offline(is_offline))

    async def set_clock(self, seconds):
        """Move the wall clock of all pages, those to come included, so far from the right time."""
        async with self.switch:
            self.clock = seconds
            with contextlib.suppress(*FAILURES):
                await within(self.clock_script.close())
                self.clock_script = await within(self._running.add_init_script(self._clock_call))
            for page in self.context.pages if self.context else ():
                with contextlib.suppress(*FAILURES):
                    await within(page.evaluate(self._clock_call))

    @property
    def _clock_call(self):
        return f"lab.setClock({self.clock})"

    async def close(self):
        """End the browser and remove its directory."""
        if self.context:
            context = self.context
            try:
                await within(context.close())
            except FAILURES:
                await self.kill()
        for _try in range(REMOVALS):        # the last of its processes may still be writing
            self.directory.cleanup()
            if not os.path.exists(self.directory.name):
                break
            await asyncio.sleep(0.1)
