"""Voice messages: recorded from a microphone that the browser plays to itself, sent, and heard."""
import re

import pytest
from playwright.sync_api import expect

from tests.browser.screen import PHONE, Screen
from tests.uploads import MP3, send_files, uploaded
from tools import programs

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def recording_chromium(chromium):
    flags = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", "--autoplay-policy=no-user-gesture-required"]
    browser = chromium.browser_type.launch(executable_path=programs.CHROMIUM.path(), args=flags)
    yield browser
    browser.close()


@pytest.fixture
def screen(recording_chromium, alice, bob):
    context = recording_chromium.new_context(base_url=alice.url, locale="en-GB", permissions=["microphone"])
    context.add_cookies([{"name": cookie.name, "value": cookie.value, "url": alice.url} for cookie in alice.http.cookies])
    screen = Screen(context.new_page(), f"/chat/{bob.username}")
    screen.expect_connected()
    yield screen
    context.close()


def microphone(screen):
    return screen.page.get_by_role("button", name="Record your voice")


def test_it_works(screen, alice, bob, sit_down):
    other = sit_down(bob, f"/chat/{alice.username}")
    other.expect_connected()
    microphone(screen).click()
    recorder = screen.page.get_by_role("group", name="Recording")
    expect(recorder.locator("[data-part=recorder-time]")).to_have_text("0:02")
    screen.page.wait_for_function("() => Number(document.querySelector('.recorder-level').style.getPropertyValue('--level')) > 0")
    expect(screen.field).to_be_hidden()
    recorder.get_by_role("button", name="Send the recording").click()
    expect(screen.field).to_be_visible()
    expect(screen.bubbles.last).to_have_attribute("data-state", re.compile("sent|read"))
    [file] = alice.history(bob)["messages"][-1]["files"]
    assert file["type"] == "audio/webm" and 1.5 < file["duration"] < 8, file
    expect(other.page.locator("#history .audio-time")).to_have_text(re.compile("0:0[2-8]"))
    expect(screen.card(bob)).to_contain_text("You: Voice message")
    bar = screen.bubbles.last.locator(".audio")
    bar.get_by_role("button", name="Play").click()
    expect(bar.get_by_role("button", name="Pause")).to_be_visible()
    screen.page.wait_for_function("() => document.querySelector('#history audio').currentTime > 0.3")
    expect(bar.get_by_role("button", name="Play")).to_be_visible()      # it is over
    assert screen.page.evaluate("document.querySelector('#history audio').error") is None


@pytest.mark.parametrize("leave", [
    lambda screen: screen.page.get_by_role("button", name="Discard the recording").click(),
    lambda screen: screen.page.keyboard.press("Escape")], ids=["the bin", "Escape"])
def test_it_is_discarded(screen, alice, bob, leave):
    microphone(screen).click()
    expect(screen.page.locator("#recorder")).to_be_visible()
    leave(screen)
    expect(screen.page.locator("#recorder")).to_have_count(0)
    expect(microphone(screen)).to_be_focused()
    screen.send("nothing but this")
    screen.expect_state("nothing but this", "sent")
    assert [message["files"] for message in alice.history(bob)["messages"]] == [[]]


def test_a_second_press_records_nothing_twice(screen):
    microphone(screen).dblclick(force=True)
    expect(screen.page.locator("#recorder")).to_have_count(1)
    screen.page.keyboard.press("Escape")
    expect(screen.page.locator("#recorder")).to_have_count(0)


@pytest.mark.parametrize("action, sent", [("Send the recording", 1), ("Discard the recording", 0)])
def test_a_microphone_that_goes_leaves_what_was_recorded(screen, alice, bob, action, sent):
    screen.page.evaluate("""() => {
      const { mediaDevices } = navigator;
      const real = mediaDevices.getUserMedia.bind(mediaDevices);
      mediaDevices.getUserMedia = async (wanted) => { window.stream = await real(wanted); return window.stream; };
    }""")
    microphone(screen).click()
    recorder = screen.page.get_by_role("group", name="Recording")
    expect(recorder.locator("[data-part=recorder-time]")).to_have_text("0:01")
    screen.page.evaluate("window.stream.getTracks().forEach((track) => track.stop())")
    expect(screen.page.locator("#connection")).to_contain_text("The microphone is gone")
    recorder.get_by_role("button", name=action).click()
    expect(recorder).to_have_count(0)
    if sent:
        expect(screen.bubbles.last).to_have_attribute("data-state", re.compile("sent|read"))
    assert len(alice.history(bob)["messages"]) == sent


def test_a_refused_microphone_is_said(alice, bob, sit_down):
    """This browser has no microphone, and may not use one."""
    screen = sit_down(alice, f"/chat/{bob.username}")
    screen.expect_connected()
    microphone(screen).click()
    expect(screen.page.locator("#connection")).to_contain_text(re.compile("microphone"))
    expect(screen.field).to_be_visible()


def test_on_a_phone_it_makes_room_for_words(alice, bob, sit_down):
    screen = sit_down(alice, f"/chat/{bob.username}", viewport=PHONE, has_touch=True, is_mobile=True)
    send = screen.page.get_by_role("button", name="Send")
    expect(microphone(screen)).to_be_visible()
    expect(send).to_be_visible()
    screen.field.fill("words")
    expect(send).to_be_visible()
    expect(microphone(screen)).to_be_hidden()


def test_without_scripts_the_browsers_own_player_is_there(alice, bob, sit_down):
    send_files(bob, alice, uploaded(bob, MP3, "song.mp3", duration="65"))
    screen = sit_down(alice, f"/chat/{bob.username}", java_script_enabled=False)
    expect(screen.page.locator("#history audio")).to_be_visible()
    expect(screen.page.get_by_role("button", name="Play")).to_be_hidden()
