"""What stands at the head of the list: oneself with a menu, the theme, the way out."""
import pytest
from playwright.sync_api import expect

from tests.browser.screen import PHONE, WIDE

pytestmark = pytest.mark.browser

LEAST_GAP = 8       # CSS pixels between the theme and the way out: no press meant for one hits the other


def menu(screen):
    return screen.page.locator("#own-menu .menu")


def open_menu(screen):
    screen.page.locator("#own-menu > summary").click()
    expect(menu(screen)).to_be_visible()


def test_it_works(alice, bob, sit_down):
    """Another language is chosen, holds on every page and is kept."""
    screen = sit_down(alice, f"/chat/{bob.username}")
    open_menu(screen)
    expect(menu(screen).get_by_role("button", name="English")).to_have_attribute("aria-pressed", "true")
    menu(screen).get_by_role("button", name="Français").click()
    expect(screen.page.get_by_role("heading", name=f"Discussion avec : {bob.username}")).to_be_visible()
    expect(screen.page.locator("html")).to_have_attribute("lang", "fr")
    screen.page.goto("/")
    expect(screen.page.get_by_text("Choisissez à qui parler.")).to_be_visible()
    open_menu(screen)
    menu(screen).get_by_role("button", name="English").click()
    expect(screen.page.get_by_text("Please choose someone to talk to.")).to_be_visible()


def test_the_choice_leads_back_to_the_page_that_is_open(alice, bob, sit_down):
    screen = sit_down(alice)
    screen.link(bob).click()
    expect(screen.heading).to_be_visible()
    open_menu(screen)
    menu(screen).get_by_role("button", name="Français").click()
    expect(screen.page.get_by_role("heading", name=f"Discussion avec : {bob.username}")).to_be_visible()


def test_what_the_server_says_live_is_in_the_chosen_language(alice, bob, sit_down):
    screen = sit_down(alice)
    screen.page.context.add_cookies([{"name": "language", "value": "fr", "url": alice.url}])
    screen.page.goto(f"/chat/{bob.username}")
    screen.send_refused()
    expect(screen.page.locator("[data-part=failed-text]")).to_contain_text("Non envoyé")
    expect(screen.page.locator("[data-part=failed-text]")).not_to_contain_text("This text has")


def test_it_works_without_a_script(alice, bob, sit_down):
    screen = sit_down(alice, f"/chat/{bob.username}", java_script_enabled=False)
    open_menu(screen)
    menu(screen).get_by_role("button", name="Français").click()
    expect(screen.page.get_by_role("heading", name=f"Discussion avec : {bob.username}")).to_be_visible()


@pytest.mark.parametrize("close", [
    lambda screen: screen.page.keyboard.press("Escape"),
    lambda screen: screen.page.locator("#main").click(position={"x": 300, "y": 300}),
    lambda screen: screen.search.focus()], ids=["Escape", "beside it", "the focus goes on"])
def test_it_closes(alice, sit_down, close):
    screen = sit_down(alice)
    open_menu(screen)
    close(screen)
    expect(menu(screen)).to_be_hidden()


def test_escape_gives_the_focus_back_to_the_name(alice, sit_down):
    screen = sit_down(alice)
    open_menu(screen)
    screen.page.keyboard.press("Tab")
    expect(menu(screen).get_by_role("button", name="English")).to_be_focused()
    screen.page.keyboard.press("Escape")
    expect(screen.page.locator("#own-menu > summary")).to_be_focused()


@pytest.mark.parametrize("viewport", [WIDE, PHONE, {"width": 320, "height": 640}], ids=["wide", "phone", "narrow"])
def test_the_theme_and_the_way_out_stand_apart(alice, sit_down, viewport):
    page = sit_down(alice, viewport=viewport).page
    theme, logout = (page.get_by_role("button", name=name) for name in ("Toggle Dark Mode", "Logout"))
    one, other = theme.bounding_box(), logout.bounding_box()
    assert other["x"] - (one["x"] + one["width"]) >= LEAST_GAP
    assert min(one["width"], one["height"], other["width"], other["height"]) >= 40


@pytest.mark.parametrize("system", ["light", "dark"])
def test_the_theme_button_tells_its_state(alice, sit_down, system):
    page = sit_down(alice, color_scheme=system).page
    toggle = page.get_by_role("button", name="Toggle Dark Mode")
    expect(toggle).to_have_attribute("aria-pressed", str(system == "dark").lower())
    toggle.click()
    expect(toggle).to_have_attribute("aria-pressed", str(system == "light").lower())
    page.reload()
    expect(toggle).to_have_attribute("aria-pressed", str(system == "light").lower())
