"""Login, registration and the sessions behind a page, as somebody meets them who clicks twice, mistypes or comes back late."""
import re

import pytest
from playwright.sync_api import expect

from tests.people import PASSWORD

pytestmark = pytest.mark.browser


@pytest.fixture
def page(chat, sit_down):
    return sit_down(chat, "/register", expects="400|401").page


def fill(page, username, password):
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(password)


def test_it_works(page):
    fill(page, "Somebody New", PASSWORD)
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_role("button", name="Logout")).to_be_visible()


def test_an_error_leaves_the_password_and_the_first_wrong_field_has_the_focus(page, alice):
    fill(page, alice.username, PASSWORD)
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_text("This name is taken")).to_be_visible()
    expect(page.get_by_label("Username")).to_be_focused()
    expect(page.get_by_label("Password")).to_have_value(PASSWORD)
    page.get_by_label("Username").fill(alice.username + "2")
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_role("button", name="Logout")).to_be_visible()


def test_a_wrong_password_stays_to_be_looked_at(chat, sit_down, alice):
    page = sit_down(chat, "/login?next=/chat/nobody", expects="401|404").page
    fill(page, alice.username, "mistyped, and long")
    page.get_by_role("button", name="Login").click()
    expect(page.get_by_role("alert")).to_have_text("Wrong username or password.")
    password = page.get_by_label("Password")
    expect(password).to_have_value("mistyped, and long")
    page.get_by_role("button", name="Show password").click()
    expect(password).to_have_attribute("type", "text")
    page.get_by_role("button", name="Hide password").click()
    expect(password).to_have_attribute("type", "password")
    password.fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/chat/nobody$"))


def test_a_double_click_registers_once(page):
    fill(page, "Twice Clicked", PASSWORD)
    page.get_by_role("button", name="Register").dblclick()
    expect(page.get_by_role("button", name="Logout")).to_be_visible()


def test_a_tab_that_slept_while_somebody_else_logged_in_shows_and_sends_nothing_of_theirs(chat, alice, bob, charlie, sit_down):
    """Its person wrote without a network, logged out in another tab, and another one logged in there."""
    asleep = sit_down(alice, f"/chat/{bob.username}", expects="ERR_INTERNET_DISCONNECTED|ERR_NETWORK|WebSocket|400|401")
    asleep.send("before")
    asleep.expect_state("before", re.compile("sent|read"))
    page, context = asleep.page, asleep.page.context
    context.set_offline(True)
    asleep.send("in Alice's name alone")
    alice.log_out()
    charlie.send(bob, "between Charlie and Bob")
    context.clear_cookies()
    context.add_cookies([{"name": "session", "value": charlie.http.cookies["session"], "url": chat.url}])
    context.set_offline(False)
    expect(page.locator("body")).to_have_attribute("data-user-id", str(charlie.id))
    expect(page.get_by_text("before", exact=True)).to_have_count(0)
    assert [message["message"] for message in charlie.history(bob)["messages"]] == ["between Charlie and Bob"]
    alice.log_in()
    assert [message["message"] for message in alice.history(bob)["messages"]] == ["before"]
