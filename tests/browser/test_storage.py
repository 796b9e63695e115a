"""A browser that keeps nothing: its storage is closed, full, or does not answer. Writing and sending go on, and it is said."""
import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

NO_DRAFTS = "This browser cannot save drafts: they are lost when you close the page."
NO_MESSAGES = "This browser cannot save unsent messages: they are lost when you close the page."

FULL = "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); };"
CLOSED = "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('closed', 'SecurityError'); } });"
NO_DATABASES = "Object.defineProperty(window, 'indexedDB', { get() { throw new DOMException('closed', 'SecurityError'); } });"
REFUSED = """IDBFactory.prototype.open = () => {
  const request = { error: new DOMException('private', 'InvalidStateError') };
  setTimeout(() => request.onerror());
  return request;
};"""
NEVER_OPENED = "IDBFactory.prototype.open = () => ({});"
NEVER_DONE = """IDBDatabase.prototype.transaction = () => ({
  objectStore: () => new Proxy({}, { get: () => () => ({}) }),
});"""


def sit_before(script, alice, bob, sit_down, **options):
    screen = sit_down(alice, "/login", **options)
    screen.page.context.add_init_script(script)
    screen.page.goto(f"/chat/{bob.username}")
    return screen


@pytest.mark.parametrize("script", [FULL, CLOSED], ids=["full", "closed"])
def test_drafts_live_as_long_as_the_page(chat, alice, bob, arrive, sit_down, script):
    charlie = arrive(chat)
    screen = sit_before(script, alice, bob, sit_down)
    expect(screen.page.locator("#connection")).to_be_empty()
    screen.field.fill("for bob")
    expect(screen.page.get_by_role("status").and_(screen.page.locator("#connection"))).to_have_text(NO_DRAFTS)
    screen.card(charlie).locator("a").click()
    expect(screen.heading).to_have_text(f"Chat with: {charlie.username}")
    expect(screen.field).to_have_value("")
    screen.card(bob).locator("a").click()
    expect(screen.field).to_have_value("for bob")
    screen.field.press("Enter")
    screen.expect_state("for bob", "sent")
    screen.card(charlie).locator("a").click()
    screen.card(bob).locator("a").click()
    expect(screen.bubble("for bob")).to_be_visible()
    expect(screen.field).to_have_value("")


def test_it_is_said_once(alice, bob, sit_down):
    screen = sit_before(FULL, alice, bob, sit_down)
    screen.field.fill("a")
    expect(screen.page.locator("#connection")).to_have_text(NO_DRAFTS)
    screen.page.evaluate("""() => {
        window.said = 0;
        const options = { childList: true, characterData: true, subtree: true };
        new MutationObserver((changes) => { said += changes.length; }).observe(document.querySelector('#connection'), options);
    }""")
    screen.field.press_sequentially("bcdef")
    screen.send("and sent")
    screen.expect_state("and sent", "sent")
    assert screen.page.evaluate("said") == 0


def test_what_was_sent_does_not_come_back_while_it_is_stored(alice, bob, sit_down):
    """Until then the draft is kept, for the page may end before."""
    screen = sit_before(NEVER_OPENED, alice, bob, sit_down)
    screen.page.evaluate("""() => {
        window.shown = [];
        const field = document.querySelector('#message');
        field.form.addEventListener('submit', () => setInterval(() => shown.push(field.value), 20));
    }""")
    screen.send("only once")
    expect(screen.page.locator("#connection")).to_have_text(NO_MESSAGES)
    assert set(screen.page.evaluate("shown")) <= {""}


@pytest.mark.parametrize("script", [NO_DATABASES, REFUSED, NEVER_OPENED, NEVER_DONE],
                         ids=["closed", "refused", "never opened", "never done"])
def test_messages_are_sent_all_the_same(alice, bob, sit_down, script):
    screen = sit_before(script, alice, bob, sit_down)
    for text in ("one", "two", "three"):
        screen.send(text)
    for text in ("one", "two", "three"):
        screen.expect_state(text, "sent")
    expect(screen.page.locator("#connection")).to_have_text(NO_MESSAGES)
    assert [message["message"] for message in alice.history(bob)["messages"]] == ["one", "two", "three"]


def test_in_french_and_both_at_once(alice, bob, sit_down):
    screen = sit_before(FULL + NO_DATABASES, alice, bob, sit_down, locale="fr-FR")
    screen.page.locator("#message").fill("brouillon")
    expect(screen.page.locator("#connection")).to_contain_text("ne peut pas enregistrer les brouillons")
    expect(screen.page.locator("#connection")).to_contain_text("ne peut pas enregistrer les messages non envoyés")
