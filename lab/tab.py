"""One tab of a real browser: opened until it comes, looked at, written in."""
import asyncio
import contextlib
import json
import time
from urllib.parse import quote, urlsplit

from tests.people import PASSWORD

from .chromium import FAILURES, within
from .sight import Row, Sight

LOOK_SECONDS = 0.5          # between two looks at a page
SOON_SECONDS = 0.1          # until the next look at a page that is still coming
AGAIN_SECONDS = 1           # until a page that did not come is asked for again
LIVE_SECONDS = 10           # for a page to come and work
FIELD_SECONDS = 0.5         # for the field to be there: a page that was just led to the login has none
TAKEN_SECONDS = 3           # for a message to be kept by its page
LOGIN_SECONDS = 8           # for all of a login, waiting for that of another tab included
FIELD = "#message"


class Tab:
    """`name` is that of the place ("carla/1"); what is shown there has names of its own, one for each load."""

    def __init__(self, sitter, name):
        self.sitter, self.name = sitter, name
        self.lock = asyncio.Lock()          # held while something is done in the page
        self.page = self.sight = None
        self.is_lost = False                # whether the page crashed or hangs, and another has to take its place
        self.document = self.broken = None  # which load of a page was looked at last, and which was found broken
        self.loads = 0
        self.asked_at = float("-inf")       # when the address was last opened
        self.up = asyncio.Event()           # while the last look found a page that works

    @property
    def is_live(self):
        return self.up.is_set()

    @property
    def head(self):
        """The last seq that was shown; 0 while there is no page."""
        return self.sight.head if self.is_live else 0

    async def wait_until_live(self, seconds=LIVE_SECONDS):
        """Wait until there is a page that works; not for ever."""
        with contextlib.suppress(asyncio.TimeoutError):
            await within(self.up.wait(), seconds)

    def gone(self):
        """There is no page that works, until the next look finds one."""
        if self.is_live:
            self.up.clear()
            self.sight.note("away")

    @property
    def takes_letters(self):
        """Whether something can be written: after an accident what became of the last message has to be known first."""
        return self.is_live and not self.sitter.letters.is_in_doubt(self.name)

    async def wait_until_ready(self):
        """Wait until something can be written; not for ever."""
        until = time.monotonic() + LIVE_SECONDS
        while not self.takes_letters and time.monotonic() < until:
            await asyncio.sleep(SOON_SECONDS)

    # --- looking

    async def live(self):
        """Look at the page again and again, and bring it back whenever it is gone."""
        while True:
            await asyncio.sleep(await self.turn())

    async def turn(self):
        """Look once, or do what brings the page nearer; return the seconds until the next turn."""
        async with self.lock:
            try:
                return await self._turn()
            except FAILURES:
                self.gone()
                return AGAIN_SECONDS

    async def _turn(self):
        look = await self._look()
        path = urlsplit(self.page.url).path
        if path == "/login" and look:
            return await self._stand_before_the_door()
        if not look or path != self._path or not look["isConversation"]:
            return await self._go()
        if look["broken"]:
            if look["document"] != self.broken:
                self.broken = look["document"]
                self.sitter.letters.note("broken", tab=self.name, text=look["broken"])
            return await self._go()
        if not look["isLive"]:
            self.gone()
            return SOON_SECONDS
        self._notice(look)
        if self.sitter.letters.has_open_questions:
            with contextlib.suppress(*FAILURES):        # the next look asks again
                await self._settle()
        return LOOK_SECONDS

    async def _look(self):
        """Return what the page says of itself; None for one that is not the chat's."""
        if self.page is None or self.is_lost or self.page.is_closed():
            self.gone()
            self.page, self.is_lost = await self.sitter.chromium.new_page(), False
            self.page.on("crash", self._crashed)
        try:
            answer = await within(self.page.evaluate("globalThis.lab?.look()"))
        except asyncio.TimeoutError:
            self._abandon()
            raise
        return answer and json.loads(answer)

    def _notice(self, look):
        if look["document"] != self.document:
            name = f"{self.name}.{self.loads}"
            if self.sight:
                self.sight.end(look["draft"])
            self.sight = Sight(self.sitter.record, self.sitter.letters, name)
            self.document, self.loads = look["document"], self.loads + 1
        self.sight.notice([Row(*row) for row in look["rows"]], look["banner"], look["draft"])
        self.up.set()

    async def _settle(self):
        """Find out what became of what was typed into pages that are gone."""
        letters = self.sitter.letters
        missing = letters.missing(await self.entries(), self.sitter.shown())
        if missing:
            stored = await within(self.page.evaluate("name => lab.stored(name)", self.sitter.peer.username))
            letters.give_up(missing, stored, self.sight.name)

    def _crashed(self, page):
        if page is self.page:
            self._abandon()

    def _abandon(self):
        """Let go of a page that does not answer any more."""
        self.is_lost = True
        self.gone()
        self.sitter.in_background(within(self.page.close()))

    # --- coming and going

    @property
    def _path(self):
        return f"/chat/{quote(self.sitter.peer.username)}"

    async def _go(self):
        """Open the conversation's address; it need not come."""
        self.gone()
        pause = self.asked_at + AGAIN_SECONDS - time.monotonic()
        if pause > 0:
            return pause
        self.asked_at = time.monotonic()
        await self.page.goto(self.sitter.url + self._path, wait_until="commit")
        return SOON_SECONDS

    async def _stand_before_the_door(self):
        self.gone()
        if not self.sitter.logs_in:
            return LOOK_SECONDS
        await within(self._log_in(), LOGIN_SECONDS)
        return SOON_SECONDS

    async def log_in(self):
        """Log in if this page has been led to the login."""
        async with self.lock:
            if self.page and urlsplit(self.page.url).path == "/login":
                await within(self._log_in(), LOGIN_SECONDS)

    async def _log_in(self):
        async with self.sitter.door:
            await self.page.goto(self.sitter.url + self._path, wait_until="commit")
            if urlsplit(self.page.url).path != "/login":
                return      # another tab has logged in meanwhile
            await self.page.fill("#username", self.sitter.person.username)
            await self.page.fill("#password", PASSWORD)
            await self.page.click("form[action='/login'] button")
            await self.page.wait_for_url(f"**{self._path}", wait_until="commit")
            await self.sitter.chromium.remember_cookies()
            self.sitter.letters.note("logged_in", tab=self.name)

    async def close(self):
        """Close the tab for good."""
        async with self.lock:
            if self.sight:
                self.sight.end("")
            if self.page:
                with contextlib.suppress(*FAILURES):
                    await within(self.page.close())

    # --- writing

    async def write(self, held=False):
        """Write the next message and return its clientId; None where the page did not take it, or cannot.

        With `held` nothing that the page sends leaves it from now on: the message is kept and not sent.
        """
        async with self.lock:
            if not self.takes_letters:
                return None
            letters = self.sitter.letters
            try:
                text = await self.type(held)
                await within(self.page.keyboard.press("Enter"))
                found = await within(self.page.evaluate("args => lab.taken(...args)", [text, TAKEN_SECONDS * 1000]))
            except FAILURES:
                return None
            if not found:
                return None
            letters.taken(text, found["clientId"], found["isKept"])
            return found["clientId"]

    async def type(self, held):
        """Fill the field with the next message and return it; Enter is all that is missing."""
        text = self.sitter.letters.next_text()
        if held:
            await within(self.page.evaluate("lab.hold()"))
        await self.page.fill(FIELD, text, timeout=FIELD_SECONDS * 1000)
        self.sitter.letters.typed(text, self.sight)
        return text

    async def entries(self):
        """Return what waits in the outbox, as IndexedDB keeps it."""
        return await within(self.page.evaluate("lab.entries()"))
