"""Accidents that befall a browser just after Enter was pressed in one of its tabs."""
import asyncio
import contextlib

from .chromium import FAILURES, within

MIDST_SECONDS = 0.05        # an accident falls at most so long after Enter
BACK_SECONDS = 5            # for the page to come again; where it cannot, it is asked for again and again


async def reload(tab):
    """Load the page again before the message is acknowledged, or nearly."""
    async with tab.lock:
        await _amid_a_send(tab, "reload", lambda: tab.page.reload(wait_until="commit"))
    await _back(tab)


async def crash(tab):
    """Have the page's process die; another page takes its place."""
    async def die():
        session = await within(tab.page.context.new_cdp_session(tab.page))
        async with tab.page.expect_event("crash"):
            tab.sitter.in_background(within(session.send("Page.crash")))      # never answered
    async with tab.lock:
        await _amid_a_send(tab, "crash", die)
    await _back(tab)


async def kill_browser(tab, others):
    """Kill the whole browser; the first tab that comes back starts it anew."""
    async with tab.lock:
        await _amid_a_send(tab, "kill", tab.sitter.chromium.kill)
    for other in others:
        other.gone()
    await asyncio.gather(*(_back(other) for other in others))


async def _amid_a_send(tab, what, accident):
    """Press Enter, wait for next to nothing, and let the accident fall; where there is no page to write in, at once."""
    with contextlib.suppress(*FAILURES):
        if tab.takes_letters:
            await _press_enter(tab, what)
        else:
            tab.sitter.letters.note("accident", tab=tab.name, what=what, text=None)
    with contextlib.suppress(*FAILURES):
        if tab.page:
            await accident()
    tab.gone()


async def _press_enter(tab, what):
    """Write a message; half of the time what the page sends from now on does not leave it."""
    dice = tab.sitter.accident_dice
    held, pause = dice.random() < 0.5, dice.random() * MIDST_SECONDS
    text = await tab.type(held)
    tab.sight.note("accident", what=what, text=text, held=held, after=pause)
    tab.sitter.in_background(within(tab.page.keyboard.press("Enter")))
    await asyncio.sleep(pause)


async def _back(tab):
    tab.sitter.in_background(tab.turn())
    await tab.wait_until_live(BACK_SECONDS)
