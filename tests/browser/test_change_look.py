"""What messages that change look like, and what helps to write. SCREENSHOTS=1 keeps the pictures in docs/screenshots/."""
import pytest
from playwright.sync_api import expect

from tests.browser.past import ago, hold
from tests.browser.screen import NO_NETWORK, PHONE, WIDE
from tests.browser.test_look import folder, take  # noqa: F401 (a fixture)
from tests.people import Person
from tests.server import Server

pytestmark = pytest.mark.browser

TALK = [("Miage", "Salut ! On se voit à quelle heure pour le rapport ?", 40), ("me", "À 14 h, salle B12. Je prends le câble et le projecteur", 38),
        ("Miage", "Le plan est prêt : trois parties, et les paragraphes de la quatrième que j'ajoute", 35), ("me", "oublie ce que j'ai dit", 30),
        ("me", "La base est crée", 12)]
WHOLE = [("light", "wide"), ("dark", "wide"), ("light", "phone"), ("dark", "phone")]
ELSEWHERE = dict(zip(WHOLE, ["deux index", "trois index", "quatre index", "cinq index"]))
SIZES = {"wide": {"viewport": WIDE}, "phone": {"viewport": PHONE, "has_touch": True, "is_mobile": True}}


@pytest.fixture(scope="module")
def two():
    """Two people whose messages have been edited, deleted, answered, pinned and reacted to: (server, me, friend)."""
    with Server() as server:
        people = {name: Person(server.url, name) for name in ("Mohcine07", "Miage")}
        for person in people.values():
            assert person.register().status_code == 302
        me, friend = people["Mohcine07"], people["Miage"]
        names = {"me": me, "Miage": friend}
        hold(server, me, friend, [(names[who], text, ago(minutes=minutes)) for who, text, minutes in TALK])
        first, place, plan, wrong, base = me.history(friend)["messages"]
        at_me, at_friend = me.tab(), friend.tab()
        at_friend.change(place, react="👍", on=True)
        at_me.change(place, pin=True)
        at_me.change(plan, react="🎉", on=True)
        at_friend.change(plan, react="🎉", on=True)
        at_friend.change(plan, react="😮", on=True)
        at_me.change(wrong, delete=True)
        at_me.change(base, edit="La base est créée, avec ses index")
        at_friend.call("sendMessage", {"clientId": "answer", "receiverId": me.id, "message": "Parfait, je relis ce soir", "replyTo": place["seq"]})
        at_me.close()
        yield server, me, friend
        for person in people.values():
            person.leave()


@pytest.fixture
def look(two, sit_down):
    """Open their conversation in a theme and a size; the network may go."""
    _server, me, friend = two

    def open_screen(theme, size, **options):
        screen = sit_down(me, f"/chat/{friend.username}", color_scheme=theme, expects=NO_NETWORK, **SIZES[size], **options)
        screen.expect_connected()
        expect(screen.bubbles.last).to_contain_text("Parfait")
        return screen
    return open_screen


@pytest.mark.parametrize("theme, size", WHOLE)
def test_it_works(look, folder, theme, size):     # noqa: F811
    """Edited, deleted, pinned, answered, reacted to; and no letter of a last line is under a chip."""
    screen = look(theme, size)
    expect(screen.page.locator("#history .chip[data-emoji]")).to_have_count(3)
    for row in screen.bubbles.filter(has=screen.page.locator(".chip")).all():
        text, chips = row.locator("[data-part=text]").evaluate("""element => {
            const range = document.createRange();
            range.selectNodeContents(element);
            return Math.max(...[...range.getClientRects()].map(({ bottom }) => bottom));
        }"""), row.locator("[data-part=reactions]").bounding_box()
        assert text + 2 <= chips["y"] - 2, "the ring of a chip is 2 px, and as much is free above it"
    take(screen, folder / f"changed-{theme}-{size}.png")


@pytest.mark.parametrize("theme, size", WHOLE)
def test_two_texts_to_choose_from(look, two, folder, theme, size):     # noqa: F811
    _server, me, _friend = two
    screen = look(theme, size)
    screen.expect_loaded_later()
    mine = screen.bubbles.nth(4)
    before = mine.locator("[data-part=text]").text_content()
    screen.page.context.set_offline(True)
    expect(screen.page.locator("#connection")).to_contain_text("You are offline.")
    screen.field.press("ArrowUp")
    expect(screen.page.locator(".composer-card")).to_be_visible()
    screen.field.fill("La base est créée, avec ses index et ses vues")
    screen.page.get_by_role("button", name="Send").click()
    elsewhere = me.tab()
    elsewhere.change({"conversationId": int(screen.page.locator("#conversation").get_attribute("data-conversation-id")),
                      "seq": int(mine.get_attribute("data-seq"))}, edit=f"La base est créée, avec {ELSEWHERE[theme, size]}")
    elsewhere.close()
    screen.page.context.set_offline(False)
    card = screen.page.locator("#conflicts > *")
    expect(card).to_contain_text("et ses vues")
    take(screen, folder / f"conflict-{theme}-{size}.png")
    card.get_by_role("button", name="Keep the other text").click()
    expect(card).to_have_count(0)
    assert before != mine.locator("[data-part=text]").text_content()


@pytest.mark.parametrize("theme, size", [("light", "wide"), ("dark", "phone")])
def test_emoji_while_one_writes(look, folder, theme, size):     # noqa: F811
    screen = look(theme, size)
    screen.field.fill("On a fini ")
    screen.page.get_by_role("button", name="Emoji", exact=True).click()
    expect(screen.page.get_by_role("dialog", name="Emoji", exact=True).locator(".emoji").first).to_be_visible()
    take(screen, folder / f"emoji-{theme}-{size}.png")


@pytest.mark.parametrize("theme, size", [("dark", "wide"), ("light", "phone")])
def test_emoji_by_name(look, folder, theme, size):     # noqa: F811
    screen = look(theme, size)
    screen.field.press_sequentially("On a fini :heart")
    expect(screen.page.get_by_role("option").first).to_contain_text("red heart")
    take(screen, folder / f"emoji-names-{theme}-{size}.png")
