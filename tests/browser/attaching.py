"""How a person brings files into a conversation: by the button, by dropping, by the clipboard."""
import base64

DISPATCH = """([selector, types, files, folders]) => {
  const transfer = new DataTransfer();
  for (const [name, type, content] of files) {
    const bytes = Uint8Array.from(atob(content), (character) => character.charCodeAt(0));
    transfer.items.add(new File([bytes], name, { type }));
  }
  const target = document.querySelector(selector);
  for (const type of types) {
    const options = { bubbles: true, cancelable: true };
    const event = type === 'paste' ? new ClipboardEvent(type, { ...options, clipboardData: transfer }) : new DragEvent(type, { ...options, dataTransfer: transfer });
    target.dispatchEvent(event);
  }
}"""


def choose(screen, *files):
    """Choose files `(name, type, content)` by the button."""
    with screen.page.expect_file_chooser() as chooser:
        screen.page.get_by_role("button", name="Attach files").click()
    chooser.value.set_files([{"name": name, "mimeType": kind, "buffer": content} for name, kind, content in files])


def drag(screen, *files, types=("dragenter", "dragover", "drop"), onto="#history-scroll"):
    encoded = [(name, kind, base64.b64encode(content).decode()) for name, kind, content in files]
    screen.page.evaluate(DISPATCH, [onto, list(types), encoded, []])


def paste(screen, *files):
    drag(screen, *files, types=("paste",), onto="#message")


def cards(screen):
    """What is about to be sent."""
    return screen.page.locator(".attachment")


def images(screen):
    """The images in the conversation."""
    return screen.page.locator("#history .image")
