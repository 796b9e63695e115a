"""Two people talk, each in a browser of their own."""
import pytest
from playwright.sync_api import expect

from tests.browser.screen import NO_WEBSOCKET, Screen, background
from tests.people import PASSWORD, new_client_id

pytestmark = pytest.mark.browser

BLUE, GREY = [21, 93, 252], [232, 237, 244]     # red, green, blue


def register(screen, username):
    screen.page.get_by_label("Username").fill(username)
    screen.page.get_by_label("Password").fill(PASSWORD)
    screen.page.get_by_role("button", name="Register").click()
    expect(screen.page.get_by_text(f"Welcome, {username}! Please choose someone to talk to.")).to_be_visible()


def choose(screen, username):
    screen.search.fill(username)
    screen.page.get_by_role("link", name=username).click()
    expect(screen.page.get_by_role("heading", name=f"Chat with: {username}")).to_be_visible()


def talk(server, sit_down):
    alice, bob = f"alice {new_client_id()[:6]}", f"bob {new_client_id()[:6]}"
    at_alice, at_bob = sit_down(server, "/register"), sit_down(server, "/register")
    register(at_alice, alice)
    register(at_bob, bob)
    choose(at_alice, bob)
    choose(at_bob, alice)

    at_alice.send("bonjour")
    expect(at_bob.bubble("bonjour")).to_be_visible()
    at_bob.field.fill("salut !")
    at_bob.page.get_by_role("button", name="Send").click()
    expect(at_alice.bubble("salut !")).to_be_visible()
    at_alice.send("ça va ?")
    expect(at_bob.bubble("ça va ?")).to_be_visible()
    assert at_alice.texts() == at_bob.texts() == ["bonjour", "salut !", "ça va ?"]

    at_alice.page.reload()
    expect(at_alice.bubbles).to_have_count(3)


def test_it_works(chat, sit_down):
    talk(chat, sit_down)


def test_it_works_on_mariadb_and_redis(start_server, server_mode_settings, sit_down):
    talk(start_server(**server_mode_settings), sit_down)


def test_own_messages_stand_right_on_blue_and_the_others_left_on_grey(alice, bob, sit_down):
    bob.send(alice, "from bob")
    alice.send(bob, "from alice")
    screen = sit_down(alice, f"/chat/{bob.username}")
    scroll = screen.history.bounding_box()
    middle = scroll["x"] + scroll["width"] / 2
    left, right = (screen.bubble(text).locator("article") for text in ("from bob", "from alice"))
    assert background(right) == BLUE
    assert background(left) == GREY
    assert left.bounding_box()["x"] < middle < right.bounding_box()["x"]


@pytest.mark.parametrize("text", ["short", "a longer text that breaks into lines " * 12, "0123456789" * 12])
def test_the_time_is_at_the_bottom_right_inside_the_bubble(alice, bob, sit_down, text):
    alice.send(bob, text.strip())
    screen = sit_down(alice, f"/chat/{bob.username}")
    bubble = screen.bubbles.locator("article").bounding_box()
    time = screen.bubbles.locator("footer").bounding_box()
    words = screen.bubbles.locator("[data-part=text]").evaluate("""element => {
        const range = document.createRange();
        range.selectNodeContents(element);
        return range.getBoundingClientRect().toJSON();
    }""")
    assert 0 <= bubble["x"] + bubble["width"] - time["x"] - time["width"] < 20
    assert 0 <= bubble["y"] + bubble["height"] - time["y"] - time["height"] < 16
    assert time["y"] + time["height"] >= words["y"] + words["height"] - 8


def test_polling_alone_carries_a_burst(alice, bob, sit_down):
    at_bob = sit_down(bob, "/login")
    at_bob.page.context.add_init_script(NO_WEBSOCKET)
    at_bob.page.goto(f"/chat/{alice.username}")
    at_alice = sit_down(alice, "/login")
    at_alice.page.context.add_init_script(NO_WEBSOCKET)
    at_alice.page.goto(f"/chat/{bob.username}")
    burst = [f"number {n}" for n in range(50)]
    for text in burst:
        at_alice.send(text)
    expect(at_bob.bubbles).to_have_count(50)
    assert at_bob.texts() == burst
    expect(at_alice.page.locator("li.message[data-state=read]")).to_have_count(50)
    assert at_alice.texts() == burst
    at_bob.send("all of them")
    expect(at_alice.bubble("all of them")).to_be_visible()


def test_own_messages_appear_in_ones_other_tab(alice, bob, sit_down):
    first = sit_down(alice, f"/chat/{bob.username}")
    second = first.another_tab(f"/chat/{bob.username}")
    first.send("to be seen in both")
    expect(second.bubble("to be seen in both")).to_be_visible()
    expect(second.bubbles).to_have_count(1)


def test_text_is_text(alice, bob, sit_down):
    evil = "<img src=x onerror=document.title='broken'><script>document.title='broken'</script><b>bold</b>"
    bob.send(alice, evil)
    screen = sit_down(alice, f"/chat/{bob.username}")
    expect(screen.bubble(evil)).to_be_visible()
    bob.send(alice, f"live {evil}")
    expect(screen.bubble(f"live {evil}")).to_be_visible()
    expect(screen.card(bob).locator("[data-part=preview]")).to_contain_text("<script>")
    assert screen.page.locator("#history img, #history b, #history script, #people b").count() == 0
    assert "broken" not in screen.page.title()


def test_a_name_is_text_too(chat, alice, arrive, sit_down):
    evil = arrive(chat, f"<b>x{new_client_id()[:8]}'\"&")
    evil.send(alice, "hello")
    screen = sit_down(alice)
    expect(screen.card(evil).locator("[data-part=name]")).to_have_text(evil.username)
    screen.card(evil).locator("a").click()
    expect(screen.heading).to_have_text(f"Chat with: {evil.username}")
    expect(screen.heading.locator("bdi")).to_have_text(evil.username)
    screen.send("to you")
    screen.expect_state("to you", "sent")
    assert screen.page.locator("#shell b").count() == 0


def test_a_name_of_two_words_has_a_page(chat, alice, arrive, sit_down):
    friend = arrive(chat, f"José Pérez 100% {new_client_id()[:5]}")
    screen = sit_down(alice)
    screen.card(friend).locator("a").click()
    expect(screen.heading).to_have_text(f"Chat with: {friend.username}")
    screen.page.reload()
    expect(Screen(screen.page).heading).to_have_text(f"Chat with: {friend.username}")
