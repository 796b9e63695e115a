"""One tab of a real browser. It is looked at twice a second, and loaded again until the page works."""
import asyncio
import contextlib
import json
import time
from urllib.parse import urlsplit

from tests.people import PASSWORD

from .chromium import FAILURES, with_timeout
from .page_observer import PageObserver, Row

LOOK_INTERVAL = 0.5         # between two looks at a page
LOADING_INTERVAL = 0.1      # until the next look at a page that is still loading
RETRY_SECONDS = 1           # until a page that could not be loaded is requested again
LIVE_SECONDS = 10           # for a page to load and work
FIELD_SECONDS = 0.5         # for the text field to exist: the login page has none
SAVED_SECONDS = 3           # for a page to save a message
LOGIN_SECONDS = 8           # for a login, including the wait for the login of another tab
FIELD = "#message"


class Tab:
    """A tab of one conversation. `name` is the tab's name, for example "carla/1". Each load of its page has a name of its own.

    Where a room is not its person's any more, the tab asks for its page again and again, until it is.
    """

    def __init__(self, browser_user, name, conversation, sent_messages):
        self.browser_user, self.name, self.conversation, self.sent_messages = browser_user, name, conversation, sent_messages
        self.lock = asyncio.Lock()        # held during each action in the page
        self.page = self.observer = None
        self.must_replace_page = False                  # the page has crashed or hangs, and must be replaced
        self.document = self.broken_document = None     # the load that was looked at last, and the one that was found broken
        self.loads = 0
        self.requested_at = float("-inf")   # when the address was last requested
        self.page_works = asyncio.Event()   # set while the last look has found a working page

    @property
    def is_live(self):
        return self.page_works.is_set()

    @property
    def last_seq(self):
        """The last seq that was shown; 0 while there is no page."""
        return self.observer.last_seq if self.is_live else 0

    async def wait_until_live(self, seconds=LIVE_SECONDS):
        """Wait until there is a working page, at most so long."""
        with contextlib.suppress(asyncio.TimeoutError):
            await with_timeout(self.page_works.wait(), seconds)

    def mark_unavailable(self):
        """There is no working page until the next look finds one."""
        if self.is_live:
            self.page_works.clear()
            self.observer.note("away")

    @property
    def can_write(self):
        """Whether a message can be written now. After a fault, the fate of the previous message must be known first."""
        return self.is_live and not self.sent_messages.has_unconfirmed(self.name)

    async def wait_until_ready(self):
        """Wait until a message can be written, at most LIVE_SECONDS."""
        until = time.monotonic() + LIVE_SECONDS
        while not self.can_write and time.monotonic() < until:
            await asyncio.sleep(LOADING_INTERVAL)

    # --- looking at the page

    async def run(self):
        """Look at the page again and again, and load it again whenever it is gone."""
        while True:
            await asyncio.sleep(await self.step())

    async def step(self):
        """Look once, or take the next step towards a working page; return the seconds until the next call."""
        async with self.lock:
            try:
                return await self._step()
            except FAILURES:
                self.mark_unavailable()
                return RETRY_SECONDS

    async def _step(self):
        look = await self._describe_page()
        path = urlsplit(self.page.url).path
        if path == "/login" and look:
            return await self._handle_login_page()
        if not look or path != self.conversation.page_path or not look["isConversation"]:
            return await self._load_conversation()
        if look["broken"]:
            if look["document"] != self.broken_document:
                self.broken_document = look["document"]
                self.sent_messages.note("broken", tab=self.name, text=look["broken"])
            return await self._load_conversation()
        if not look["isLive"]:
            self.mark_unavailable()
            return LOADING_INTERVAL
        self._record_look(look)
        if self.sent_messages.should_check_outbox:
            with contextlib.suppress(*FAILURES):        # the next look tries again
                await self._search_outbox()
        return LOOK_INTERVAL

    async def _describe_page(self):
        """Return the page's description of itself; None if it is not a page of the chat."""
        if self.page is None or self.must_replace_page or self.page.is_closed():
            self.mark_unavailable()
            self.page, self.must_replace_page = await self.browser_user.chromium.new_page(), False
            self.page.on("crash", self._crashed)
        try:
            answer = await with_timeout(self.page.evaluate("globalThis.lab?.describe()"))
        except asyncio.TimeoutError:
            self._discard_page()
            raise
        return answer and json.loads(answer)

    def _record_look(self, look):
        if look["document"] != self.document:
            name = f"{self.name}.{self.loads}"
            if self.observer:
                self.observer.end(look["draft"])
            self.observer = PageObserver(self.browser_user.record, self.sent_messages, name)
            self.document, self.loads = look["document"], self.loads + 1
        self.observer.update([Row(*row) for row in look["rows"]], look["banner"], look["draft"])
        self.page_works.set()

    async def _search_outbox(self):
        """Find out what became of messages that were typed into pages that are gone."""
        sent_messages = self.sent_messages
        missing = sent_messages.find_missing(await self.entries(), self.browser_user.shown())
        if missing:
            stored = await with_timeout(self.page.evaluate("path => lab.storedMessages(path)", self.conversation.path))
            sent_messages.mark_lost(missing, stored, self.observer.name)

    def _crashed(self, page):
        if page is self.page:
            self._discard_page()

    def _discard_page(self):
        """Give up a page that does not answer any more."""
        self.must_replace_page = True
        self.mark_unavailable()
        self.browser_user.in_background(with_timeout(self.page.close()))

    # --- loading and login

    async def _load_conversation(self):
        """Request the conversation's address. The page may fail to load."""
        self.mark_unavailable()
        pause = self.requested_at + RETRY_SECONDS - time.monotonic()
        if pause > 0:
            return pause
        self.requested_at = time.monotonic()
        await self.page.goto(self.browser_user.url + self.conversation.page_path, wait_until="commit")
        return LOADING_INTERVAL

    async def _handle_login_page(self):
        self.mark_unavailable()
        if not self.browser_user.logs_in:
            return LOOK_INTERVAL
        await with_timeout(self._log_in(), LOGIN_SECONDS)
        return LOADING_INTERVAL

    async def log_in(self):
        """Log in if this tab shows the login page."""
        async with self.lock:
            if self.page and urlsplit(self.page.url).path == "/login":
                await with_timeout(self._log_in(), LOGIN_SECONDS)

    async def _log_in(self):
        async with self.browser_user.login_lock:
            await self.page.goto(self.browser_user.url + self.conversation.page_path, wait_until="commit")
            if urlsplit(self.page.url).path != "/login":
                return      # another tab has logged in meanwhile
            await self.page.fill("#username", self.browser_user.person.username)
            await self.page.fill("#password", PASSWORD)
            await self.page.click("form[action='/login'] button")
            await self.page.wait_for_url(f"**{self.conversation.page_path}", wait_until="commit")
            await self.browser_user.chromium.save_cookies()
            self.sent_messages.note("logged_in", tab=self.name)

    async def close(self):
        """Close the tab for good."""
        async with self.lock:
            if self.observer:
                self.observer.end("")
            if self.page:
                with contextlib.suppress(*FAILURES):
                    await with_timeout(self.page.close())

    # --- writing

    async def write(self, block_sending=False):
        """Write the next message. Return its clientId; None if the page has not accepted it.

        With `block_sending` the page can send nothing from now on: it saves the message and does not send it.
        """
        async with self.lock:
            if not self.can_write:
                return None
            sent_messages = self.sent_messages
            try:
                text = await self.type(block_sending)
                await with_timeout(self.page.keyboard.press("Enter"))
                found = await with_timeout(self.page.evaluate("args => lab.waitUntilSaved(...args)", [text, SAVED_SECONDS * 1000]))
            except FAILURES:
                return None
            if not found:
                return None
            sent_messages.accepted(text, found["clientId"], found["isKept"])
            return found["clientId"]

    async def type(self, block_sending):
        """Type the next message into the field and return it. Only Enter is missing."""
        text = self.sent_messages.next_text()
        if block_sending:
            await with_timeout(self.page.evaluate("lab.blockSending()"))
        await self.page.fill(FIELD, text, timeout=FIELD_SECONDS * 1000)
        self.sent_messages.typed(text, self.observer)
        return text

    async def entries(self):
        """Return the content of the outbox as it is in IndexedDB."""
        return await with_timeout(self.page.evaluate("lab.entries()"))
