"""What is around the conversations: addresses, panes, theme, language, the end of a session."""
import re

import pytest
from playwright.sync_api import expect

from tests.browser.screen import PHONE

pytestmark = pytest.mark.browser

DARK, WHITE_ISH = "(rgb) => Math.max(...rgb) < 60", "(rgb) => Math.min(...rgb) > 200"


def test_it_works(alice, bob, sit_down):
    screen = sit_down(alice)
    expect(screen.page.get_by_text(f"Welcome, {alice.username}! Please choose someone to talk to.")).to_be_visible()
    screen.link(bob).click()
    expect(screen.heading).to_have_text(f"Chat with: {bob.username}")


def test_each_conversation_has_an_address(chat, alice, bob, arrive, sit_down):
    charlie = arrive(chat)
    screen = sit_down(alice)
    screen.page.evaluate("window.isTheSamePage = true")
    screen.link(bob).click()
    expect(screen.page).to_have_url(f"{chat.url}/chat/{bob.username}")
    expect(screen.page).to_have_title(re.compile(bob.username))
    screen.link(charlie).click()
    expect(screen.page).to_have_url(f"{chat.url}/chat/{charlie.username}")
    screen.page.go_back()
    expect(screen.heading).to_have_text(f"Chat with: {bob.username}")
    screen.send("to whom the page says")
    screen.expect_state("to whom the page says", "sent")
    screen.page.go_back()
    expect(screen.page.get_by_text("Please choose someone to talk to.")).to_be_visible()
    screen.page.go_forward()
    expect(screen.bubble("to whom the page says")).to_be_visible()
    assert screen.page.evaluate("window.isTheSamePage"), "none of this loaded a new page"
    screen.page.reload()
    expect(screen.bubble("to whom the page says")).to_be_visible()


def test_forward_before_the_way_back_has_ended_calls_it_off(chat, alice, bob, arrive, sit_down):
    charlie = arrive(chat)
    screen = sit_down(alice, f"/chat/{bob.username}")
    screen.link(charlie).click()
    expect(screen.heading).to_have_text(f"Chat with: {charlie.username}")
    screen.page.route(f"**/chat/{bob.username}", lambda _route: None)      # never answered
    with screen.page.expect_request(f"**/chat/{bob.username}"):
        screen.page.go_back()
    with screen.page.expect_event("requestfailed"):
        screen.page.go_forward()
    expect(screen.page).to_have_url(f"{chat.url}/chat/{charlie.username}")
    expect(screen.heading).to_have_text(f"Chat with: {charlie.username}")
    screen.page.go_back()
    screen.page.wait_for_url(f"**/chat/{bob.username}")


def test_a_page_that_does_not_come_leaves_the_one_that_is_there(chat, alice, bob, arrive, sit_down):
    charlie = arrive(chat)
    screen = sit_down(alice, f"/chat/{charlie.username}", expects="ERR_FAILED")
    screen.link(bob).click()
    expect(screen.heading).to_have_text(f"Chat with: {bob.username}")
    screen.page.route(f"**/chat/{charlie.username}", lambda route: route.abort())
    with screen.page.expect_event("requestfailed"):
        screen.page.go_back()
    expect(screen.page).to_have_url(f"{chat.url}/chat/{bob.username}")
    expect(screen.heading).to_have_text(f"Chat with: {bob.username}")


def test_a_live_conversation_goes_on_after_changing_it(chat, alice, bob, arrive, sit_down):
    charlie = arrive(chat)
    screen = sit_down(alice, f"/chat/{bob.username}")
    screen.link(charlie).click()
    expect(screen.heading).to_have_text(f"Chat with: {charlie.username}")
    bob.send(alice, "you are elsewhere")
    charlie.send(alice, "you are here")
    expect(screen.bubble("you are here")).to_be_visible()
    expect(screen.card(bob)).to_have_attribute("data-unread", "1")
    expect(screen.bubbles).to_have_count(1)


def test_one_pane_on_a_phone_with_a_way_back(alice, bob, sit_down):
    screen = sit_down(alice, viewport=PHONE, has_touch=True, is_mobile=True)
    expect(screen.heading).to_be_hidden()
    screen.link(bob).tap()
    expect(screen.heading).to_be_visible()
    expect(screen.search).to_be_hidden()
    screen.page.get_by_role("link", name="Back to the list").tap()
    expect(screen.link(bob)).to_be_visible()
    expect(screen.field).to_be_hidden()
    assert screen.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_the_toggle_adds_and_removes_dark_and_is_kept(alice, sit_down):
    screen = sit_down(alice)
    root, toggle = screen.page.locator("html"), screen.page.get_by_role("button", name="Toggle Dark Mode")
    expect(root).not_to_have_class("dark")
    assert screen.is_painted(WHITE_ISH)
    toggle.click()
    expect(root).to_have_class("dark")
    assert screen.is_painted(DARK)
    screen.page.reload()
    expect(root).to_have_class("dark")
    toggle.click()
    expect(root).not_to_have_class("dark")
    screen.page.reload()
    expect(root).not_to_have_class("dark")


def test_the_theme_follows_the_system_until_one_is_chosen(alice, sit_down):
    screen = sit_down(alice, color_scheme="dark")
    root = screen.page.locator("html")
    expect(root).to_have_class("dark")
    screen.page.emulate_media(color_scheme="light")
    expect(root).not_to_have_class("dark")
    assert screen.is_painted(WHITE_ISH)
    screen.page.get_by_role("button", name="Toggle Dark Mode").click()
    screen.page.emulate_media(color_scheme="dark")
    screen.page.emulate_media(color_scheme="light")
    expect(root).to_have_class("dark")
    screen.page.reload()
    expect(root).to_have_class("dark")


@pytest.mark.parametrize("system, chosen, painted", [("light", "dark", DARK), ("dark", "light", WHITE_ISH),
                                                      ("dark", None, DARK), ("light", None, WHITE_ISH)])
def test_the_theme_does_not_flash(alice, sit_down, system, chosen, painted):
    # Without any script the page is what it is before the scripts run.
    screen = sit_down(alice, "/login", color_scheme=system, java_script_enabled=False)
    if chosen:
        screen.page.context.add_cookies([{"name": "theme", "value": chosen, "url": alice.url}])
    screen.page.goto("/")
    assert screen.is_painted(painted)


def test_logging_out_in_one_tab_ends_the_others(alice, bob, sit_down):
    first = sit_down(alice, expects="401|WebSocket")     # the other tab's request that is under way
    second = first.another_tab(f"/chat/{bob.username}")
    second.send("before")
    second.expect_state("before", "sent")
    first.page.get_by_role("button", name="Logout").click()
    expect(first.page).to_have_url(re.compile("/login$"))
    expect(second.page).to_have_url(re.compile("/login"))
    first.page.go_back()
    expect(first.page.get_by_role("button", name="Login")).to_be_visible()


def test_french_is_complete(alice, bob, sit_down):
    bob.send(alice, "bonjour")
    screen = sit_down(alice, locale="fr-FR")
    page = screen.page
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    expect(page.get_by_text(f"Bienvenue, {alice.username} ! Choisissez à qui parler.")).to_be_visible()
    expect(page.get_by_role("link", name=re.compile(f"^{bob.username} hors ligne"))).to_be_visible()
    screen.link(bob).click()
    expect(page.get_by_role("heading", name=f"Discussion avec : {bob.username}")).to_be_visible()
    page.get_by_role("textbox", name="Message").fill("salut")
    page.get_by_role("button", name="Envoyer").click()
    expect(screen.bubble("salut").locator("[data-part=state-word]")).to_have_text("Envoyé")
    page.get_by_role("button", name="Se déconnecter").click()
    expect(page.get_by_role("button", name="Se connecter")).to_be_visible()


def test_an_address_that_does_not_exist(alice, sit_down):
    page = sit_down(alice, "/chat/nobody-of-this-name", expects="404").page
    expect(page.get_by_role("heading", name="Not found")).to_be_visible()
    page.get_by_role("link", name="Back to the chat").click()
    expect(page.get_by_text("Please choose someone to talk to.")).to_be_visible()
