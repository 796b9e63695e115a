"""Faults of a browser, right after Enter was pressed in one of its tabs."""
import asyncio
import contextlib

from .chromium import FAILURES, with_timeout

MAX_DELAY_SECONDS = 0.05    # the fault happens at most so long after Enter
RECOVERY_SECONDS = 5        # for the page to come back; if it does not, the tab keeps trying in the background


async def reload(tab):
    """Reload the page before the message is acknowledged, or about then."""
    async with tab.lock:
        await _during_send(tab, "reload", lambda: tab.page.reload(wait_until="commit"))
    await _recover(tab)


async def crash(tab):
    """Crash the page's process; a new page replaces it."""
    async def die():
        session = await with_timeout(tab.page.context.new_cdp_session(tab.page))
        async with tab.page.expect_event("crash"):
            tab.browser_user.in_background(with_timeout(session.send("Page.crash")))      # this call never returns
    async with tab.lock:
        await _during_send(tab, "crash", die)
    await _recover(tab)


async def kill_browser(tab, others):
    """Kill the whole browser; the first tab that recovers starts it again."""
    async with tab.lock:
        await _during_send(tab, "kill", tab.browser_user.chromium.kill)
    for other in others:
        other.mark_unavailable()
    await asyncio.gather(*(_recover(other) for other in others))


async def _during_send(tab, what, cause_fault):
    """Press Enter, wait for a moment, then cause the fault. If there is no page to write in, cause it at once."""
    with contextlib.suppress(*FAILURES):
        if tab.can_write:
            await _press_enter(tab, what)
        else:
            tab.sent_messages.note("browser_fault", tab=tab.name, what=what, text=None)
    with contextlib.suppress(*FAILURES):
        if tab.page:
            await cause_fault()
    tab.mark_unavailable()


async def _press_enter(tab, what):
    """Write a message. Half of the time the page is prevented from sending anything after that."""
    rng = tab.browser_user.fault_rng
    block_sending, pause = rng.random() < 0.5, rng.random() * MAX_DELAY_SECONDS
    text = await tab.type(block_sending)
    tab.observer.note("browser_fault", what=what, text=text, block_sending=block_sending, after=pause)
    tab.browser_user.in_background(with_timeout(tab.page.keyboard.press("Enter")))
    await asyncio.sleep(pause)


async def _recover(tab):
    tab.browser_user.in_background(tab.step())
    await tab.wait_until_live(RECOVERY_SECONDS)
