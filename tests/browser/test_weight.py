"""How much a page weighs, and that it does not jump."""
import pytest
from playwright.sync_api import expect

from tests.browser.past import hold, numbered
from tests.browser.screen import PATIENCE_MS, PHONE, WIDE

pytestmark = pytest.mark.browser

MAX_JS, MAX_CSS = 40 * 1024, 10 * 1024        # bytes, gzipped
MAX_REQUESTS = 12      # of a first view, the socket aside
MAX_SHIFT = 0.02
SLOWER = 20             # times: on a fast machine the page is there before anything could jump

STATIC_BYTES = """() => performance.getEntriesByType('resource')
  .filter((entry) => entry.name.includes('/static/'))
  .reduce((bytes, entry) => bytes + entry.transferSize, 0)"""

# The scripts that came, and those of them that the page named in its head.
SCRIPTS = """() => {
  const came = performance.getEntriesByType('resource').map((entry) => entry.name).filter((name) => name.endsWith('.js'));
  const named = [...document.querySelectorAll('link[rel="modulepreload"]')].map((link) => link.href);
  return [came, named];
}"""

OBSERVE_SHIFTS = """
window.shift = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.shift += entry.value;
}).observe({ type: 'layout-shift', buffered: true });
"""


@pytest.fixture
def two_people(start_server, arrive):
    """Alice and Bob, alone on a chat, who have talked."""
    server = start_server()
    alice, bob = arrive(server), arrive(server)
    hold(server, alice, bob, numbered(alice, bob, 60))
    return alice, bob


@pytest.mark.parametrize("path", ["/", "/chat/{}"], ids=["home", "conversation"])
def test_it_works(two_people, sit_down, arrive, path):
    """The requests of a first view, however many people there are, and the static bytes of a second one."""
    alice, bob = two_people
    for _n in range(15):
        arrive(alice)       # at the same address
    page, asked = sit_down(alice, path=None).page, []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.format(bob.username), wait_until="networkidle")
    asked = [url for url in asked if "/socket.io/" not in url]
    assert len(asked) <= MAX_REQUESTS, "\n".join(asked)
    assert page.evaluate(STATIC_BYTES) > 10_000
    page.goto(path.format(bob.username), wait_until="networkidle")
    assert page.evaluate(STATIC_BYTES) == 0


@pytest.mark.parametrize("path", ["/", "/chat/{}"], ids=["home", "conversation"])
def test_no_script_waits_for_another_to_ask_for_it(two_people, sit_down, path):
    """The page names all scripts of its first view, so that they come at once, and names no other."""
    alice, bob = two_people
    page = sit_down(alice, path.format(bob.username)).page
    page.wait_for_load_state("networkidle")
    came, named = page.evaluate(SCRIPTS)
    assert came and sorted(set(came)) == sorted(named)


def test_what_is_loaded_later_comes_by_itself(two_people, sit_down):
    """Nobody touches the page: a while after it was shown it has all that it needs without a network."""
    alice, bob = two_people
    page = sit_down(alice, f"/chat/{bob.username}").page
    page.wait_for_load_state("networkidle")
    for name in ("page-more", "conversation-more", "message-actions", "message-changes", "details", "completion", "composer-emoji", "emoji-en"):
        page.wait_for_function("name => performance.getEntriesByType('resource').some((entry) => entry.name.includes(`/${name}.js`))", arg=name)


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("path", ["/", "/chat/{}"], ids=["home", "conversation"])
def test_nothing_jumps(two_people, sit_down, path, viewport):
    alice, bob = two_people
    page = sit_down(alice, path=None, viewport=viewport).page
    page.add_init_script(OBSERVE_SHIFTS)
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    page.goto(path.format(bob.username), wait_until="networkidle")
    bob.send(alice, "on the page")
    expect(page.get_by_text("on the page").first).to_be_attached(timeout=SLOWER * PATIENCE_MS)
    assert page.evaluate("window.shift") <= MAX_SHIFT


def test_scripts_and_styles_are_light(two_people, sit_down):
    alice, bob = two_people
    page = sit_down(alice, f"/chat/{bob.username}").page
    page.wait_for_load_state("networkidle")
    bytes_of = """(ending) => performance.getEntriesByType('resource')
      .filter((entry) => entry.name.endsWith(ending)).reduce((bytes, entry) => bytes + entry.encodedBodySize, 0)"""
    assert 10_000 < page.evaluate(bytes_of, ".js") <= MAX_JS
    assert 2_000 < page.evaluate(bytes_of, ".css") <= MAX_CSS
