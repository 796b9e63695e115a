"""What a person sees of the chat, by the names that people know its parts by."""
import re

from playwright.sync_api import expect

from tests.waiting import wait_for

WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 360, "height": 740}     # CSS pixels
NO_NETWORK = r"ERR_INTERNET_DISCONNECTED|ERR_NETWORK|WebSocket connection"     # what a browser complains of then
PATIENCE_MS = 30_000      # when to give up, on a machine that does other work as well

# What is not part of the first view (later.js).
OF_EVERY_PAGE = ("page-more", "later.css")
OF_A_CONVERSATION = ("conversation-more", "composer-format", "message-changes", "message-actions", "completion", "composer-emoji", "details",
                     "files-more", "formatted-text")

# An init script: the page keeps in `sent` what goes out over a WebSocket or by polling.
NOTE_WHAT_IS_SENT = """
window.sent = [];
for (const transport of [WebSocket, XMLHttpRequest]) {
  const { send } = transport.prototype;
  transport.prototype.send = function (data) {
    sent.push(data);
    return send.call(this, data);
  };
}
"""

# An init script: as behind a proxy that lets no WebSocket through.
NO_WEBSOCKET = """
window.WebSocket = class extends EventTarget {
  constructor() {
    super();
    setTimeout(() => { this.onerror?.(new Event('error')); this.onclose?.(new CloseEvent('close')); });
  }
  close() {}
};
"""


class Screen:
    """One tab of one person's browser. `page` is Playwright's."""

    def __init__(self, page, path=None):
        self.page = page
        if path:
            page.goto(path)

    def expect_connected(self):
        """Wait until the page has a connection. What is pushed before that does not reach it, and the network is not to go."""
        expect(self.page.locator("#connection")).to_have_attribute("data-connection", "online")

    def expect_loaded_later(self):
        """Wait until what is not part of the first view has come (later.js). What is done without the network is done with it."""
        names = [*OF_EVERY_PAGE, *OF_A_CONVERSATION] if self.page.locator("#conversation").count() else OF_EVERY_PAGE
        self.page.wait_for_function("""names => {
            const loaded = performance.getEntriesByType('resource').map(({ name }) => name);
            return names.every((name) => loaded.some((one) => one.includes(`/${name}`)));
        }""", arg=names)

    # --- the people

    @property
    def search(self):
        return self.page.get_by_role("searchbox")

    @property
    def people(self):
        return self.page.locator("#people > li.person")

    def card(self, person):
        return self.page.locator(f'li.person[data-user-id="{person.id}"]')

    def link(self, person):
        return self.page.get_by_role("link", name=re.compile(f"^{re.escape(person.username)}\\b"))

    # --- the conversation

    @property
    def heading(self):
        return self.page.get_by_role("heading", name="Chat with: ")

    @property
    def field(self):
        return self.page.get_by_role("textbox", name="Message")

    @property
    def history(self):
        return self.page.locator("#history-scroll")

    @property
    def bubbles(self):
        return self.page.locator("#history > li.message")

    @property
    def pill(self):
        return self.page.locator("#new-pill")

    def bubble(self, text):
        """The rows with just this text: one, unless a message was doubled."""
        return self.bubbles.filter(has=self.page.get_by_text(text, exact=True))

    def on_paper(self):
        """Show the page as it is printed, once the rules of paper have come."""
        self.page.wait_for_function("() => [...document.styleSheets].some(({ href }) => href?.includes('later.css'))")
        self.page.emulate_media(media="print")

    def texts(self):
        """The messages on the page, from the first to the last."""
        return self.page.locator("#history > li.message [data-part=text]").all_text_contents()

    def send(self, text):
        """Write a message and press Enter, again where the page was not alive yet: there it is a line more, as in any field."""
        self.field.fill(text)
        self._press_enter()

    def send_refused(self, text="half "):
        """Send a text with half of a surrogate pair behind it, which no keyboard writes and the server refuses."""
        self.field.evaluate("""(field, text) => {
          field.value = `${text}\\ud83d`;
          field.dispatchEvent(new InputEvent('input', { bubbles: true }));
        }""", text)
        self._press_enter()

    def _press_enter(self):
        self.field.press("Enter")
        assert wait_for(lambda: not self.field.input_value().endswith("\n") or self.field.press("Enter"), PATIENCE_MS / 1000)

    def expect_state(self, text, state):
        """Wait until the message is pending, sent, read or failed."""
        expect(self.bubble(text)).to_have_attribute("data-state", state)

    # --- the place

    def another_tab(self, path="/"):
        return Screen(self.page.context.new_page(), path)

    def is_painted(self, condition):
        """Whether the background of the page, as [red, green, blue], fulfils the condition of JavaScript."""
        return self.page.evaluate(f"({condition})({background(self.page.locator('body'))})")


def background(locator):
    """The colour as it is painted when its transition is over: [red, green, blue]."""
    return locator.evaluate("""async element => {
      const transitions = element.getAnimations().filter(animation => animation instanceof CSSTransition);
      await Promise.allSettled(transitions.map(({ finished }) => finished));
      const paint = new OffscreenCanvas(1, 1).getContext('2d');
      paint.fillStyle = getComputedStyle(element).backgroundColor;
      paint.fillRect(0, 0, 1, 1);
      return [...paint.getImageData(0, 0, 1, 1).data.slice(0, 3)];
    }""")
