"""People at real Chromium tabs: they write, they read, and accidents befall them.

One thread owns Playwright, the browsers and the tabs. What others ask for is posted to it and answered by a
`concurrent.futures.Future`; a tab that hangs holds up no other.
"""
import asyncio
import contextlib
import functools
import random
import threading
from concurrent.futures import Future

from playwright.async_api import async_playwright

from . import mishaps
from .chromium import FAILURES, Chromium, within
from .record import conversation_of
from .sight import Letters
from .tab import Tab

ARRIVAL_SECONDS = 60        # until somebody sits before open tabs, on a machine that does other work as well
TELL_SECONDS = 25           # until some tab is there to look into the outbox
IDLE_SECONDS = 0.1
END_SECONDS = 30


class Browsers:
    """All browsers of a run; a context manager. `seed` decides who writes when, and when accidents fall."""

    def __init__(self, record, seed):
        self.record, self.seed = record, seed
        self.sitters, self.errors = [], []
        self.ready = Future()
        self.thread = threading.Thread(target=self._run, name="browsers", daemon=True)

    def __enter__(self):
        self.thread.start()
        self.ready.result(ARRIVAL_SECONDS)
        return self

    def __exit__(self, *_exception):
        with contextlib.suppress(RuntimeError):     # of a loop that has ended already, by an error that is raised below
            self.loop.call_soon_threadsafe(self.leaving.set)
        self.thread.join(END_SECONDS)
        if self.errors:
            raise self.errors[0]

    def sit_down(self, person, peer, *, tabs=1, websockets=True, url=None):
        """Seat somebody who is logged in before `tabs` tabs of the conversation with `peer`; return the Sitter.

        `url` is the address to use instead of the person's own; `websockets=False` is a network that lets none through.
        """
        sitter = Sitter(self, person, peer, websockets, url or person.url)
        self.sitters.append(sitter)
        self.post(sitter.arrive(tabs)).result(ARRIVAL_SECONDS)
        return sitter

    def post(self, coroutine):
        """Have the thread run a coroutine; return the Future of its result."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop)

    def _run(self):
        try:
            asyncio.run(self._live())
        except BaseException as error:      # the thread that started this one is to hear of it
            if not self.ready.done():
                self.ready.set_exception(error)
            self.errors.append(error)

    async def _live(self):
        self.loop, self.leaving = asyncio.get_running_loop(), asyncio.Event()
        async with async_playwright() as self.playwright:
            self.ready.set_result(None)
            await self.leaving.wait()
            await asyncio.gather(*(sitter.leave() for sitter in self.sitters))


def posted(method):
    """Make a coroutine method one that any thread may call: it returns a Future."""
    @functools.wraps(method)
    def post(self, *args, **options):
        return self.browsers.post(method(self, *args, **options))
    return post


class Sitter:
    """One person at a browser of their own. `rate` is how many messages they write a second, over all their tabs.

    Tabs are called "carla/1", "carla/2" …; a method that takes one of them takes the first where none is named.
    Everything may be called from any thread.
    """

    def __init__(self, browsers, person, peer, websockets, url):
        self.browsers, self.record, self.person, self.peer, self.url = browsers, browsers.record, person, peer, url
        cookies = [{"name": cookie.name, "value": cookie.value, "url": url, "expires": cookie.expires or -1}
                   for cookie in person.http.cookies]
        self.chromium = Chromium(browsers.playwright, url, cookies, websockets)
        self.door = asyncio.Lock()          # one tab at a time logs in
        self.rate = 0
        self.logs_in = True                 # whether a tab that was led to the login logs in by itself
        self.letters = Letters(self.record, person, conversation_of(person.id, peer.id))
        self.writing_dice = random.Random(f"{browsers.seed} {person.username} writes")
        self.accident_dice = random.Random(f"{browsers.seed} {person.username} has accidents")
        self._tabs, self._opened, self._tasks = {}, 0, {}

    @property
    def tabs(self):
        """The names of the open tabs."""
        return list(self._tabs)

    def head(self, tab=None):
        """The last seq that the tab showed when it was last looked at; 0 while its page is away."""
        return self._tab(tab).head

    @posted
    async def write(self, tab=None, held=False):
        """Write a message; its clientId, None where no page takes it. With `held` it never leaves the page."""
        writing = self._tab(tab)
        await writing.wait_until_ready()
        return await writing.write(held)

    @posted
    async def unsent(self):
        """The clientIds that wait in the outbox, as soon as a tab can tell. Raises RuntimeError where none can."""
        until = self.browsers.loop.time() + TELL_SECONDS
        while self.browsers.loop.time() < until:
            for tab in list(self._tabs.values()):
                with contextlib.suppress(*FAILURES):
                    if tab.is_live:
                        return [entry["clientId"] for entry in await tab.entries() if entry["state"] == "waiting"]
            await asyncio.sleep(IDLE_SECONDS)
        raise RuntimeError(f"{self.person.username} has no page that could tell")

    @posted
    async def evaluate(self, script, tab=None):
        """What JavaScript in the page returns."""
        return await within(self._tab(tab).page.evaluate(script))

    # --- accidents: each is over when its page is back, or has not come within 5 s

    @posted
    async def reload(self, tab=None):
        """Write a message and load the page again just after."""
        await mishaps.reload(self._tab(tab))

    @posted
    async def crash(self, tab=None):
        """Write a message and have the tab's process crash just after."""
        await mishaps.crash(self._tab(tab))

    @posted
    async def kill_browser(self):
        """Write a message and kill the whole browser just after; it starts again on the same directory."""
        tabs = list(self._tabs.values())
        await mishaps.kill_browser(self.accident_dice.choice(tabs), tabs)

    @posted
    async def offline(self, is_offline):
        """Take the network away from the browser, or give it back."""
        await self.chromium.set_offline(is_offline)

    @posted
    async def set_clock(self, seconds):
        """Move the clock that pages read so far from the right time."""
        await self.chromium.set_clock(seconds)

    @posted
    async def log_in_again(self):
        """Log in at every tab that was led to the login."""
        for tab in list(self._tabs.values()):
            await tab.log_in()

    @posted
    async def open_tab(self):
        """Open one tab more; its name."""
        return await self._open_tab()

    @posted
    async def close_tab(self, tab=None):
        """Close a tab for good."""
        closing = self._tab(tab)
        del self._tabs[closing.name]
        self._tasks.pop(closing.name).cancel()
        await closing.close()

    # --- in the thread of the browsers

    async def arrive(self, tabs):
        """Start the browser and open the tabs."""
        for _number in range(tabs):
            await self._open_tab()
        self._start("writing", self._write_on())

    async def leave(self):
        """Close everything."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        await self.chromium.close()

    async def _open_tab(self):
        self._opened += 1
        tab = Tab(self, f"{self.person.username}/{self._opened}")
        self._tabs[tab.name] = tab
        self._start(tab.name, tab.live())
        await tab.wait_until_live()
        return tab.name

    async def _write_on(self):
        while True:
            await asyncio.sleep(self.writing_dice.uniform(0.5, 1.5) / self.rate if self.rate else IDLE_SECONDS)
            if self.rate and self._tabs:
                await self.writing_dice.choice(list(self._tabs.values())).write()       # where it is away, nothing

    def _tab(self, name):
        return self._tabs[name] if name else next(iter(self._tabs.values()))

    def shown(self):
        """Return the clientIds of all rows on all tabs."""
        return {row.client_id for tab in self._tabs.values() if tab.sight for row in tab.sight.rows}

    def in_background(self, call):
        """Run a call that nobody waits for and that may fail; return its task."""
        async def run():
            with contextlib.suppress(*FAILURES):
                await call
        return self._start(object(), run())

    def _start(self, name, coroutine):
        task = self._tasks[name] = asyncio.ensure_future(coroutine)
        task.add_done_callback(functools.partial(self._ended, name))
        return task

    def _ended(self, name, task):
        self._tasks.pop(name, None)
        if not task.cancelled() and task.exception():
            self.browsers.errors.append(task.exception())
