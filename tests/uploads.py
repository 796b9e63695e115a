"""Files for tests: pictures that Pillow makes, and the requests by which people send and fetch them."""
import io

from PIL import Image

from tests.people import new_client_id

JSON = {"Accept": "application/json"}
TEXT = b"Bonjour,\nvoici le plan.\n"
PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
HTML = b"<!doctype html><script>alert(1)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
MP3 = b"ID3\x03\0\0\0\0\0\0" + b"\xff\xfb\x90\0" * 200


def picture(kind="PNG", size=(800, 600), color=(20, 120, 200), **options):
    """Return an image as bytes."""
    out = io.BytesIO()
    image = Image.new("RGB", size, color)
    image.paste((250, 250, 250), (0, 0, size[0] // 2, size[1] // 4))
    image.save(out, kind, **options)
    return out.getvalue()


def animation(kind="GIF", frames=3, size=(120, 80)):
    out = io.BytesIO()
    first, *others = [Image.new("RGB", size, (80 * n % 256, 40, 90)) for n in range(frames)]
    first.save(out, kind, save_all=True, append_images=others, duration=120, loop=0)
    return out.getvalue()


def token(person):
    """Return the person's form token: it stays the same as long as the session."""
    if not hasattr(person, "_token"):
        person._token = person.token("/")
    return person._token


def upload(person, content=TEXT, name="plan.txt", client_id=None, **fields):
    """Send a file as the page does; return the answer."""
    return person.post("/files", {"clientId": client_id or new_client_id(), **fields}, files={"file": (name, content)},
                       headers={"X-CSRFToken": token(person)})


def uploaded(person, *arguments, **options):
    """Send a file, again where the same content is being removed just then; return its F."""
    answer = upload(person, *arguments, **options)
    if answer.status_code == 503 and answer.json()["error"]["retry"]:
        answer = upload(person, *arguments, **options)
    assert answer.status_code == 201, answer.text
    return answer.json()


def put(person, client_id, content, offset=0, **query):
    """Send the rest of a file; return the answer."""
    return person.http.put(f"{person.url}/files/{client_id}", data=content, params={"offset": offset, **query}, timeout=60,
                           headers={"X-CSRFToken": token(person), "Content-Type": "application/octet-stream"})


def cancel(person, client_id):
    return person.http.delete(f"{person.url}/files/{client_id}", headers={"X-CSRFToken": token(person)}, timeout=30)


def send_files(person, to, *files, text="", **fields):
    """Send a message with files over HTTP; return its M."""
    answer = person.ask(f"/messages/{to.username}", message=text, clientId=fields.pop("client_id", None) or new_client_id(),
                        files=[file["id"] for file in files], **fields)
    assert answer.status_code == 201, answer.text
    return answer.json()


def image_of(answer):
    """Return the picture in an answer."""
    return Image.open(io.BytesIO(answer.content))
