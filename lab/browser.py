"""People at real Chromium tabs. They write and read, and a fault may reload, crash or kill their browser.

One thread owns Playwright, the browsers and the tabs. Other threads post coroutines to it and get a
`concurrent.futures.Future`. A tab that hangs does not block the others.
"""
import asyncio
import contextlib
import functools
import random
import threading
from concurrent.futures import Future

from playwright.async_api import async_playwright

from . import browser_faults
from .chromium import FAILURES, Chromium, with_timeout
from .conversations import DirectConversation, RoomConversation
from .page_observer import SentMessages
from .tab import Tab

OPEN_SECONDS = 60           # until the tabs of one person are open, on a machine that does other work as well
OUTBOX_SECONDS = 25         # until some tab can read the outbox
POLL_SECONDS = 0.1
STOP_SECONDS = 30


class Browsers:
    """All browsers of a run; a context manager. `seed` decides who writes when, and when a fault happens."""

    def __init__(self, record, seed):
        self.record, self.seed = record, seed
        self.browser_users, self.errors = [], []
        self.ready = Future()
        self.thread = threading.Thread(target=self._run, name="browsers", daemon=True)

    def __enter__(self):
        self.thread.start()
        self.ready.result(OPEN_SECONDS)
        return self

    def __exit__(self, *_exception):
        with contextlib.suppress(RuntimeError):     # the loop has ended already because of an error, which is raised below
            self.loop.call_soon_threadsafe(self.stopping.set)
        self.thread.join(STOP_SECONDS)
        if self.errors:
            raise self.errors[0]

    def open(self, person, peer, *, tabs=1, rooms=(), websockets=True, url=None):
        """Open `tabs` tabs of the conversation with `peer` for a person who is logged in; return the BrowserUser.

        `rooms` are the ids of rooms that get a tab each. `url` replaces the person's own address. `websockets=False` is a network
        that blocks WebSockets.
        """
        browser_user = BrowserUser(self, person, peer, rooms, websockets, url or person.url)
        self.browser_users.append(browser_user)
        self.submit(browser_user.start(tabs)).result(OPEN_SECONDS)
        return browser_user

    def submit(self, coroutine):
        """Run a coroutine in the browsers' thread; return the Future of its result."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop)

    def _run(self):
        try:
            asyncio.run(self._main())
        except BaseException as error:      # it is raised again in the thread that started this one
            if not self.ready.done():
                self.ready.set_exception(error)
            self.errors.append(error)

    async def _main(self):
        self.loop, self.stopping = asyncio.get_running_loop(), asyncio.Event()
        async with async_playwright() as self.playwright:
            self.ready.set_result(None)
            await self.stopping.wait()
            await asyncio.gather(*(browser_user.stop() for browser_user in self.browser_users))


def in_browser_thread(method):
    """Make a coroutine method callable from any thread: the call returns a Future."""
    @functools.wraps(method)
    def call(self, *args, **options):
        return self.browsers.submit(method(self, *args, **options))
    return call


class BrowserUser:
    """One person with a browser of their own. `rate` is how many messages per second they write, at all tabs together.

    Tabs are called "carla/1", "carla/2" …. A method that takes a tab takes the first one by default.
    Every method may be called from any thread.
    """

    def __init__(self, browsers, person, peer, rooms, websockets, url):
        self.browsers, self.record, self.person, self.url = browsers, browsers.record, person, url
        self.direct, self.rooms = DirectConversation(person.id, peer.id, peer.username), [RoomConversation(room) for room in rooms]
        self.sent_messages = {one: SentMessages(self.record, person, one) for one in (self.direct, *self.rooms)}
        cookies = [{"name": cookie.name, "value": cookie.value, "url": url, "expires": cookie.expires or -1}
                   for cookie in person.http.cookies]
        self.chromium = Chromium(browsers.playwright, url, cookies, websockets)
        self.login_lock = asyncio.Lock()        # only one tab at a time logs in
        self.rate = 0
        self.logs_in = True        # whether a tab on the login page logs in by itself
        self.writing_rng = random.Random(f"{browsers.seed} {person.username} writes")
        self.fault_rng = random.Random(f"{browsers.seed} {person.username} has faults")
        self._tabs, self._opened, self._tasks = {}, 0, {}

    @property
    def tabs(self):
        """The names of the open tabs."""
        return list(self._tabs)

    def conversation(self, tab):
        """The conversation of a tab."""
        return self._tab(tab).conversation

    def last_seq(self, tab=None):
        """The last seq that the tab has shown; 0 while it has no page."""
        return self._tab(tab).last_seq

    @property
    def unanswered_count(self):
        """How many messages were written whose end no page has shown yet."""
        return sum(len(sent_messages.unanswered) for sent_messages in self.sent_messages.values())

    @in_browser_thread
    async def write(self, tab=None, block_sending=False):
        """Write a message; return its clientId, or None if no page accepts it. With `block_sending` the page never sends it."""
        writing = self._tab(tab)
        await writing.wait_until_ready()
        return await writing.write(block_sending)

    @in_browser_thread
    async def unsent(self):
        """Return the clientIds in the outbox, once a tab can read it. Raises RuntimeError if none can."""
        until = self.browsers.loop.time() + OUTBOX_SECONDS
        while self.browsers.loop.time() < until:
            for tab in list(self._tabs.values()):
                with contextlib.suppress(*FAILURES):
                    if tab.is_live:
                        return [entry["clientId"] for entry in await tab.entries() if entry["state"] == "waiting"]
            await asyncio.sleep(POLL_SECONDS)
        raise RuntimeError(f"{self.person.username} has no page that could tell")

    @in_browser_thread
    async def evaluate(self, script, tab=None):
        """Return what a script returns in the page."""
        return await with_timeout(self._tab(tab).page.evaluate(script))

    # --- faults: each call ends when the page is back, or after 5 s

    @in_browser_thread
    async def reload(self, tab=None):
        """Write a message and reload the page at once."""
        await browser_faults.reload(self._tab(tab))

    @in_browser_thread
    async def crash(self, tab=None):
        """Write a message and crash the tab's process at once."""
        await browser_faults.crash(self._tab(tab))

    @in_browser_thread
    async def kill_browser(self):
        """Write a message and kill the whole browser at once. It restarts with the same profile directory."""
        tabs = list(self._tabs.values())
        await browser_faults.kill_browser(self.fault_rng.choice(tabs), tabs)

    @in_browser_thread
    async def offline(self, is_offline):
        """Disconnect the browser from the network, or connect it again."""
        await self.chromium.set_offline(is_offline)

    @in_browser_thread
    async def set_clock(self, seconds):
        """Shift the clock of all pages by so many seconds."""
        await self.chromium.set_clock(seconds)

    @in_browser_thread
    async def log_in_again(self):
        """Log in at every tab that shows the login page."""
        for tab in list(self._tabs.values()):
            await tab.log_in()

    @in_browser_thread
    async def open_tab(self):
        """Open another tab of the conversation with the peer; return its name."""
        return await self._open_tab(self.direct)

    @in_browser_thread
    async def close_tab(self, tab=None):
        """Close a tab for good."""
        closing = self._tab(tab)
        del self._tabs[closing.name]
        self._tasks.pop(closing.name).cancel()
        await closing.close()

    # --- in the browsers' thread

    async def start(self, tabs):
        """Start the browser and open the tabs."""
        for conversation in [self.direct] * tabs + self.rooms:
            await self._open_tab(conversation)
        self._start("writing", self._write_loop())

    async def stop(self):
        """Close everything."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        await self.chromium.close()

    async def _open_tab(self, conversation):
        self._opened += 1
        tab = Tab(self, f"{self.person.username}/{self._opened}", conversation, self.sent_messages[conversation])
        self._tabs[tab.name] = tab
        self._start(tab.name, tab.run())
        await tab.wait_until_live()
        return tab.name

    async def _write_loop(self):
        while True:
            await asyncio.sleep(self.writing_rng.uniform(0.5, 1.5) / self.rate if self.rate else POLL_SECONDS)
            if self.rate and self._tabs:
                await self.writing_rng.choice(list(self._tabs.values())).write()       # does nothing if the tab has no page now

    def _tab(self, name):
        return self._tabs[name] if name else next(iter(self._tabs.values()))

    def shown(self):
        """Return the clientIds of all rows on all tabs."""
        return {row.client_id for tab in self._tabs.values() if tab.observer for row in tab.observer.rows}

    def in_background(self, call):
        """Run a call whose result nobody needs and which may fail; return its task."""
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
