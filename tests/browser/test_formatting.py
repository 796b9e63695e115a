"""Formatted text: the page of the server and the live page show the same, code is coloured and copied, long texts are folded, keys format."""
import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.past import ago, hold
from tests.browser.screen import NO_NETWORK, PATIENCE_MS, PHONE, WIDE
from tests.browser.test_accessibility import expect_no_sideways_scrolling, expect_no_violation
from tests.people import new_client_id
from tests.waiting import wait_for

pytestmark = pytest.mark.browser

CASES = [case for case in json.loads((Path(__file__).parent.parent / "formatting_cases.json").read_text(encoding="utf-8"))["cases"]
         if case["text"].strip() and case["text"].rstrip() == case["text"] and "\r" not in case["text"]]     # as a message may be
PYTHON = 'def mean(values):\n    """The middle."""\n    return sum(values) / len(values)  # of some\n\nprint(mean([1, 2.5]))'
LONG_CODE = "\n".join(f"let value{n} = {n};" for n in range(1, 65))
TEXTS = ["**bold** *italic* ~~struck~~ `code`", "see https://example.org/a_(b), and [this](https://example.org/x)", f"look:\n```python\n{PYTHON}\n```\nok?",
         "> quoted\n> - a\n\n1. one\n2. two", "👍🏽🎉", "a\n" * 30 + "z", f"```js\n{LONG_CODE}\n```", "plain, and long enough " * 60]

# What a row shows, as the server has rendered it: without what a script adds to code.
SHOWN = """(row) => {
  const copy = row.cloneNode(true);
  for (const token of copy.querySelectorAll('span[class^="code-"]')) token.replaceWith(...token.childNodes);
  for (const block of copy.querySelectorAll('.code-block')) delete block.dataset.coloured;
  for (const element of copy.querySelectorAll('pre, button, summary')) {
    for (const name of ['tabindex', ...(element.matches('pre') ? ['role', 'aria-label'] : [])]) element.removeAttribute(name);
  }
  const text = copy.querySelector('[data-part=text]');
  text.normalize();
  const shown = copy.querySelector('article > div');
  shown.querySelector('footer').remove();
  const sorted = (element) => {
    const attributes = [...element.attributes].map(({ name, value }) => `${name}=${JSON.stringify(value)}`).sort().join(' ');
    const children = [...element.childNodes].filter((node) => element.closest('[data-part=text]') || node.nodeType === 1);
    return [`<${element.tagName} ${attributes}>`, ...children.map((node) => (node.nodeType === 1 ? sorted(node) : node.data)), '</>'].join('');
  };
  return [row.hasAttribute('data-emoji'), sorted(shown)];
}"""
OF_THE_PAGE = f"() => Object.fromEntries([...document.querySelectorAll('#history > li.message')].map((row) => [row.dataset.seq, ({SHOWN})(row)]))"
OF_THE_SERVER = f"""async (paths) => {{
  const all = {{}};
  for (const path of paths) {{
    const page = new DOMParser().parseFromString(await (await fetch(path)).text(), 'text/html');
    for (const row of page.querySelectorAll('#history > li.message')) all[row.dataset.seq] = ({SHOWN})(row);
  }}
  return all;
}}"""


def of_the_server(screen, path, last=0):
    """Return what the server's pages show of a conversation, by seq."""
    return screen.page.evaluate(OF_THE_SERVER, [path, *(f"{path}?before={before}" for before in range(51, last + 51, 50))])


def formatted(screen):
    screen.page.wait_for_function("() => performance.getEntriesByType('resource').some(({ name }) => name.includes('formatted-text'))")


def text_of(screen, seq=None):
    return (screen.page.locator(f"#history > li.message[data-seq='{seq}']") if seq else screen.bubbles.last).locator("[data-part=text]")


@pytest.fixture
def talk(chat, alice, bob):
    """Two who have said one text of each kind."""
    hold(chat, alice, bob, [((alice, bob)[n % 2], text, ago(minutes=30 - n)) for n, text in enumerate(TEXTS)])
    return alice, bob


def test_it_works(chat, alice, bob, sit_down):
    """Every case of the list: older pages, which a script renders, show what the server renders."""
    said = [((alice, bob)[n % 2], case["text"], ago(minutes=2 * len(CASES) - n)) for n, case in enumerate(CASES)]
    assert len(said) > 250
    hold(chat, alice, bob, said)
    screen = sit_down(alice, f"/chat/{bob.username}")
    for _page in range(10):
        screen.history.evaluate("scroll => { scroll.scrollTop = 0; }")
        if screen.bubbles.first.get_attribute("data-seq") == "1":
            break
        screen.page.wait_for_timeout(200)
    expect(screen.bubbles.first).to_have_attribute("data-seq", "1")
    server = of_the_server(screen, f"/chat/{bob.username}", len(said))
    page = screen.page.evaluate(OF_THE_PAGE)
    assert len(page) > 200
    assert {CASES[int(seq) - 1]["text"]: shown for seq, shown in page.items() if shown != server[seq]} == {}


def test_what_comes_live_is_edited_or_waits_shows_the_same(alice, bob, sit_down):
    screen = sit_down(alice, f"/chat/{bob.username}")
    formatted(screen)
    for text in TEXTS:
        bob.send(alice, text)
        alice.send(bob, text)
    expect(screen.bubbles).to_have_count(2 * len(TEXTS))
    alice.ask(f"/conversations/{alice.history(bob)['messages'][0]['conversationId']}/messages/2", clientId="edited", edit="now `code`")
    expect(text_of(screen, 2).locator("code")).to_have_text("code")
    assert screen.page.evaluate(OF_THE_PAGE) == of_the_server(screen, f"/chat/{bob.username}")


def test_what_waits_is_formatted_too(alice, bob, sit_down):
    screen = sit_down(alice, f"/chat/{bob.username}", expects=NO_NETWORK)
    screen.expect_connected()
    formatted(screen)
    screen.page.context.set_offline(True)
    screen.send("**later** `x`")
    expect(screen.bubbles.last).to_have_attribute("data-state", "pending")
    expect(text_of(screen).locator("strong")).to_have_text("later")
    screen.page.context.set_offline(False)
    expect(screen.bubbles.last).to_have_attribute("data-state", "sent")
    assert screen.page.evaluate(OF_THE_PAGE) == of_the_server(screen, f"/chat/{bob.username}")


def test_mentions_stay_what_they_are_in_formatted_text(alice, bob, sit_down):
    room = alice.make_room("maths", bob)
    at_bob = bob.tab()
    screen = sit_down(alice, f"/rooms/{room}")
    formatted(screen)
    texts = [f"**@{alice.username}** and `@{bob.username}`", f"> @{alice.username}\n- *@{bob.username}*", f"```python\nx = 1  # @{bob.username}\n```"]
    for text in texts:
        at_bob.send_to_room(room, text)
    expect(screen.bubbles).to_have_count(len(texts))
    expect(screen.page.locator("#history .mention-me")).to_have_text([f"@{alice.username}"] * 2)
    expect(screen.bubbles.last.locator("code .mention")).to_have_text(f"@{bob.username}")
    expect(screen.bubbles.last.locator(".code-num")).to_have_text("1")
    assert screen.page.evaluate(OF_THE_PAGE) == of_the_server(screen, f"/rooms/{room}")


def test_a_text_that_comes_before_the_script_stands_as_typed_and_moves_nothing(alice, bob, sit_down):
    for n in range(30):
        bob.send(alice, f"message {n}")
    screen = sit_down(alice, path=None)
    held = []
    screen.page.route("**/formatted-text.js", lambda route: held.append(route))
    screen.page.goto(f"/chat/{bob.username}")
    screen.expect_connected()
    bob.send(alice, "**early**\n\n> a\n\n" + "- b\n" * 10)
    preview = screen.card(bob).locator("[data-part=preview]")
    expect(text_of(screen)).to_contain_text("**early**")
    expect(preview).to_have_text(re.compile(r"^\*\*early"))
    screen.history.evaluate("scroll => { scroll.scrollTop = scroll.scrollHeight / 3; }")
    kept = screen.bubble("message 14")
    before = kept.bounding_box()["y"]
    for _try in range(100):
        if held:
            break
        screen.page.wait_for_timeout(50)
    held[0].continue_()
    expect(text_of(screen).locator("strong")).to_have_text("early")
    expect(preview).to_have_text(re.compile("^early"))
    assert kept.bounding_box()["y"] == before


def test_code_is_coloured_without_a_jump(talk, sit_down):
    alice, bob = talk
    screen = sit_down(alice, path=None)
    held = []
    screen.page.route("**/highlighter.js", lambda route: held.append(route))
    screen.page.goto(f"/chat/{bob.username}")
    block = text_of(screen, 3).locator(".code-block")
    expect(block.locator("[data-part=language]")).to_have_text("Python")
    before = block.bounding_box()
    expect(block.locator("[class^=code-key]")).to_have_count(0)
    for _try in range(100):
        if held:
            break
        screen.page.wait_for_timeout(50)
    held[0].continue_()
    expect(block.locator(".code-key").first).to_have_text("def")
    for kind, words in (("fn", "mean"), ("str", '"""The middle."""'), ("rem", "# of some"), ("num", "1")):
        expect(block.locator(f".code-{kind}").first).to_have_text(words)
    assert {side: round(value) for side, value in block.bounding_box().items()} == {side: round(value) for side, value in before.items()}
    expect(block.locator("code")).to_have_text(PYTHON)


@pytest.mark.parametrize("language, code, kind, words", [
    ("python", "x = None", "num", "None"), ("js", "const a = 'b'", "str", "'b'"), ("html", "<p class=\"a\">", "key", "p"), ("css", "p { color: red }", "key", "p"),
    ("sql", "SELECT 1", "key", "SELECT"), ("php", "<?php echo 1;", "key", "echo"), ("java", "class A {}", "key", "class"), ("c", "return 1;", "key", "return"),
    ("bash", "# hi", "rem", "# hi"), ("json", "{\"a\": 1}", "num", "1")])
def test_the_ten_languages(alice, bob, sit_down, language, code, kind, words):
    screen = sit_down(alice, f"/chat/{bob.username}")
    bob.send(alice, f"```{language}\n{code}\n```")
    expect(text_of(screen).locator(f".code-{kind}", has_text=words).first).to_have_text(words)
    expect(text_of(screen).locator("code")).to_have_text(code)


def test_code_is_copied(talk, sit_down):
    alice, bob = talk
    screen = sit_down(alice, f"/chat/{bob.username}", permissions=["clipboard-read", "clipboard-write"])
    button = text_of(screen, 3).get_by_role("button", name="Copy")
    button.click()
    expect(text_of(screen, 3).get_by_role("button", name="Copied")).to_be_visible()
    assert screen.page.evaluate("navigator.clipboard.readText()") == PYTHON
    expect(text_of(screen, 3).get_by_role("button", name="Copy", exact=True)).to_be_visible()


def test_the_menu_copies_what_was_written_and_an_edit_begins_with_it(talk, sit_down):
    alice, bob = talk
    screen = sit_down(alice, f"/chat/{bob.username}", permissions=["clipboard-read", "clipboard-write"])
    row = screen.page.locator("#history > li.message[data-seq='7']")
    row.scroll_into_view_if_needed()
    row.locator("article").hover(position={"x": 20, "y": 10})
    row.get_by_role("button", name="More").click()
    screen.page.get_by_role("menuitem", name="Copy text").click()
    screen.page.wait_for_function("async (text) => await navigator.clipboard.readText() === text", arg=TEXTS[6])
    row = screen.page.locator("#history > li.message[data-seq='1']")
    row.scroll_into_view_if_needed()
    row.locator("article").hover(position={"x": 20, "y": 10})
    row.get_by_role("button", name="Edit", exact=True).click()
    expect(screen.field).to_have_value(TEXTS[0])
    expect(screen.page.locator("[data-part=card-text]")).to_have_text("bold italic struck code")


@pytest.mark.parametrize("has_script", [True, False], ids=["with a script", "without"])
def test_long_code_and_long_texts_are_folded(talk, sit_down, has_script):
    alice, bob = talk
    screen = sit_down(alice, f"/chat/{bob.username}", java_script_enabled=has_script)
    for seq, more, height in ((7, "Show all 64 lines", 20 * 20), (6, "Show more", 20 * 22)):
        row = screen.page.locator(f"#history > li.message[data-seq='{seq}']")
        shown = row.locator("pre" if seq == 7 else "[data-part=text]")
        assert height - 2 <= shown.bounding_box()["height"] <= height + 2
        summary = row.locator("summary")
        expect(summary).to_have_text(re.compile(more))
        summary.focus()
        screen.page.keyboard.press("Enter")
        expect(row.get_by_text("Show less")).to_be_visible()
        assert row.bounding_box()["height"] > height + 150
        summary.click()
        expect(row.get_by_text(more)).to_be_visible()
        assert height - 2 <= shown.bounding_box()["height"] <= height + 2


@pytest.mark.parametrize("viewport, is_folded", [(WIDE, False), (PHONE, True)], ids=["wide", "phone"])
def test_a_text_that_is_long_only_on_a_phone_is_folded_there(talk, sit_down, viewport, is_folded):
    alice, bob = talk
    screen = sit_down(alice, f"/chat/{bob.username}", viewport=viewport)
    assert screen.page.locator("#history > li[data-seq='8'] summary").is_visible() is is_folded


def test_emoji_alone_are_large_and_have_no_ground(talk, sit_down):
    alice, bob = talk
    screen = sit_down(alice, f"/chat/{bob.username}")
    row = screen.page.locator("#history > li.message[data-seq='5']")
    look = row.evaluate("row => [getComputedStyle(row.querySelector('[data-part=text]')).fontSize,"
                        " getComputedStyle(row.querySelector('article')).backgroundColor]")
    assert look == ["40px", "rgba(0, 0, 0, 0)"]


def test_a_link_says_where_it_leads_and_turns_nothing(alice, bob, sit_down):
    screen = sit_down(alice, f"/chat/{bob.username}")
    bob.send(alice, "[\u202eshown\u2067 words](https://example.org/x) after")
    link = text_of(screen).get_by_role("link")
    expect(link).to_have_attribute("title", "\u2066https://example.org/x\u2069")
    expect(link).to_have_attribute("rel", "noopener noreferrer")
    places = text_of(screen).evaluate("""text => {
      const range = document.createRange();
      return [...text.lastChild.data].map((letter, at) => {
        range.setStart(text.lastChild, at);
        range.setEnd(text.lastChild, at + 1);
        return range.getBoundingClientRect().left;
      }).slice(1);
    }""")
    assert places == sorted(places)


def test_lists_and_quotes_show_the_words_without_marks(alice, bob, sit_down):
    screen = sit_down(alice, f"/chat/{bob.username}")
    formatted(screen)
    message = bob.send(alice, "**Salma** said `x`").json()
    expect(screen.card(bob).locator("[data-part=preview]")).to_have_text("Salma said x")
    bob.ask(f"/messages/{alice.username}", message="> a\nyes", clientId=new_client_id(), replyTo=message["seq"])
    expect(screen.bubbles.last.locator("[data-part=quote-text]")).to_have_text("Salma said x")
    expect(screen.page.locator("#announcer")).to_contain_text("yes")
    expect(screen.page.locator("#announcer")).not_to_contain_text(">")
    screen.page.reload()
    expect(screen.bubbles.last.locator("[data-part=quote-text]")).to_have_text("Salma said x")
    expect(screen.card(bob).locator("[data-part=preview]")).to_have_text(re.compile(r"^a\s+yes$"))


# Writing

@pytest.fixture
def field(alice, bob, sit_down):
    screen = sit_down(alice, f"/chat/{bob.username}")
    expect(screen.field).to_be_focused()
    return screen


def select(screen, start, end):
    screen.field.evaluate("(field, [start, end]) => field.setSelectionRange(start, end)", [start, end])


def expect_selected(screen, words):
    screen.page.wait_for_function("words => { const { value, selectionStart, selectionEnd } = document.activeElement;"
                                  " return value.slice(selectionStart, selectionEnd) === words; }", arg=words)


@pytest.mark.parametrize("key, mark", [("b", "**"), ("i", "*"), ("e", "`")])
def test_a_key_puts_marks_around_the_selection_and_takes_them_away(field, key, mark):
    field.page.keyboard.type("one two three")
    select(field, 4, 8)      # with the blank after it, as a double click selects
    field.field.press(f"Control+{key}")
    expect(field.field).to_have_value(f"one {mark}two{mark} three")
    expect_selected(field, "two")
    field.field.press(f"Control+{key}")
    expect(field.field).to_have_value("one two three")
    expect_selected(field, "two")
    field.field.press("Control+z")
    expect(field.field).to_have_value(f"one {mark}two{mark} three")
    field.field.press("Control+z")
    expect(field.field).to_have_value("one two three")


def test_marks_that_are_selected_are_taken_away_and_bold_is_no_italic(field):
    field.page.keyboard.type("**two**")
    select(field, 0, 7)
    field.field.press("Control+b")
    expect(field.field).to_have_value("two")
    field.field.press("Control+b")
    field.field.press("Control+i")
    expect(field.field).to_have_value("***two***")
    field.field.press("Control+i")
    expect(field.field).to_have_value("**two**")


def test_with_nothing_selected_one_writes_between_the_marks(field):
    field.field.press("Control+b")
    expect(field.field).to_have_value("****")
    field.page.keyboard.type("loud")
    expect(field.field).to_have_value("**loud**")
    field.field.press("Enter")
    expect(text_of(field).locator("strong")).to_have_text("loud")


def test_several_lines_become_a_block(field):
    field.field.fill("see\na = `1`\nb = 2")
    select(field, 4, 17)
    field.field.press("Control+e")
    expect(field.field).to_have_value("see\n```\na = `1`\nb = 2\n```\n")


def test_enter_in_a_block_that_is_open_begins_a_line(field):
    for line in ("```python", "x = 1", "```"):
        field.page.keyboard.type(line)
        field.field.press("Enter")
    expect(text_of(field).locator(".code-block code")).to_have_text("x = 1")
    expect(field.field).to_have_value("")
    field.page.keyboard.type("```")
    field.field.press("Enter")
    field.page.keyboard.type("y")
    field.field.press("Control+Enter")
    expect(text_of(field).locator(".code-block code")).to_have_text("y")


def paste(screen, text, **more):
    screen.field.evaluate("""(field, types) => {
      const data = new DataTransfer();
      for (const [type, text] of Object.entries(types)) data.setData(type, text);
      const event = new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true });
      if (field.dispatchEvent(event)) document.execCommand('insertText', false, types['text/plain']);
    }""", {"text/plain": text, **more})


def test_pasted_code_is_offered_to_be_a_block(field):
    field.page.keyboard.type("look ")
    paste(field, PYTHON)
    offer = field.page.locator(".paste-offer")
    expect(offer).to_be_visible()
    expect(field.field).to_have_value(f"look {PYTHON}")
    field.page.get_by_role("button", name="Show as code").click()
    expect(field.field).to_have_value(f"look \n```python\n{PYTHON}\n```\n")
    expect(field.field).to_be_focused()
    expect(offer).to_have_count(0)
    field.field.press("Control+z")
    expect(field.field).to_have_value(f"look {PYTHON}")


def test_the_editor_says_the_language(field):
    paste(field, "a\nb", **{"vscode-editor-data": json.dumps({"mode": "rust"})})
    field.page.get_by_role("button", name="Show as code").click()
    expect(field.field).to_have_value("```rust\na\nb\n```\n")


def test_the_offer_comes_with_its_style(alice, bob, sit_down):
    """A sheet that came later would move its buttons from under the pointer."""
    screen, held = sit_down(alice, f"/chat/{bob.username}"), []
    screen.page.context.route("**/later.css", lambda route: held.append(route))
    screen.page.reload()
    expect(screen.field).to_be_focused()
    with screen.page.expect_response("**/composer-format.js"):
        paste(screen, PYTHON)
    assert wait_for(lambda: screen.page.wait_for_timeout(20) or held, PATIENCE_MS / 1000)
    screen.page.evaluate("() => new Promise((resolve) => setTimeout(resolve))")     # what did not wait is done
    expect(screen.page.locator(".paste-offer")).to_have_count(0, timeout=1)
    for route in held:
        route.continue_()
    expect(screen.page.locator(".paste-offer")).to_have_css("display", "flex")


def test_what_is_no_code_is_not_offered_and_an_offer_can_be_declined(field):
    paste(field, "Dear all,\nwe meet at noon.\nSalma")
    paste(field, PYTHON)
    offer = field.page.locator(".paste-offer")
    expect(offer).to_have_count(1)
    offer.get_by_role("button", name="Close").click()
    expect(offer).to_have_count(0)
    field.field.fill("")
    paste(field, "Dear all,\nwe meet at noon.\nSalma")
    field.page.keyboard.type("x")
    expect(offer).to_have_count(0)


# For everyone

@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(talk, sit_down, theme, viewport):
    alice, bob = talk
    screen = sit_down(alice, f"/chat/{bob.username}", color_scheme=theme, viewport=viewport)
    formatted(screen)
    expect(text_of(screen, 3).locator(".code-key").first).to_be_attached()
    expect_no_violation(screen.page)
    expect_no_sideways_scrolling(screen.page)
    screen.page.goto("/keyboard")
    expect(screen.page.get_by_role("heading", name="Keyboard and formatting")).to_be_visible()
    expect_no_violation(screen.page)
    expect_no_sideways_scrolling(screen.page)


def test_without_a_script_code_is_there_without_dead_buttons(talk, sit_down):
    alice, bob = talk
    screen = sit_down(alice, f"/chat/{bob.username}", java_script_enabled=False)
    expect(text_of(screen, 3).locator("code")).to_have_text(PYTHON)
    expect(screen.page.get_by_role("button", name="Copy")).to_have_count(0)
    expect(text_of(screen, 2).get_by_role("link", name="this")).to_have_attribute("href", "https://example.org/x")


def test_wide_code_scrolls_by_itself_and_by_keys(alice, bob, sit_down):
    bob.send(alice, "```\n" + "x" * 300 + "\n```")
    screen = sit_down(alice, f"/chat/{bob.username}", viewport=PHONE)
    code = screen.page.get_by_role("region", name="Code")
    code.focus()
    screen.page.keyboard.press("ArrowRight")
    screen.page.wait_for_function("() => document.querySelector('#history pre').scrollLeft > 0")
    expect_no_sideways_scrolling(screen.page)


def test_on_paper_everything_is_there(talk, sit_down):
    alice, bob = talk
    screen = sit_down(alice, f"/chat/{bob.username}")
    screen.on_paper()
    expect(screen.page.locator("#history summary").locator("visible=true")).to_have_count(0)
    expect(screen.page.locator("#history [data-action=copy-code]").locator("visible=true")).to_have_count(0)
    heights = screen.page.locator("#history pre").evaluate_all("all => all.map(pre => pre.scrollHeight - pre.clientHeight)")
    assert max(heights) <= 1
