"""Files at a scripted tab: uploads that are cut and go on, and a look at every file of a message that the tab shows."""
import hashlib
import queue
import threading
import time
import uuid

import requests

CREATED, OK, NOT_FOUND = 201, 200, 404
FINAL = (400, 403, 413)     # answers after which an upload is not tried again
SHARED_CONTENTS = 3         # contents that many messages have, so that one is deleted while another one keeps it
SHARED_SHARE = 0.3          # of the files have one of these
CUT_SHARE = 0.3             # of the uploads break off once
MIN_BYTES, MAX_BYTES = 1, 60_000
MAX_FILES = 3               # of a message
RETRY_SECONDS, WAIT_SECONDS = 0.2, 0.5
HALFWAY_SECONDS = 30        # that an upload waits in the middle, at most


class Upload:
    """A file that is sent with a message. It keeps its clientId however often it is sent.

    The first attempt breaks off after `cut_at` bytes, if that is given. With `waits_halfway` it sets `is_halfway` in its middle, and goes
    on when `goes_on` is set.
    """

    def __init__(self, name, content, cut_at=None, waits_halfway=False):
        self.name, self.content, self.cut_at = name, content, cut_at
        self.client_id = uuid.uuid4().hex
        self.hash = hashlib.sha256(content).hexdigest()
        self.file_id = None
        self.is_begun = False
        self.is_halfway, self.goes_on = threading.Event(), threading.Event()
        self.waits_halfway = waits_halfway

    def first_body(self):
        """Return the form of the first attempt, and its content type."""
        boundary = uuid.uuid4().hex
        head = (f'--{boundary}\r\nContent-Disposition: form-data; name="clientId"\r\n\r\n{self.client_id}\r\n'
                f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{self.name}"\r\n'
                "Content-Type: application/octet-stream\r\n\r\n").encode()
        form = head + self.content + f"\r\n--{boundary}--\r\n".encode()
        return BrokenBody(form, len(head), self), f"multipart/form-data; boundary={boundary}"


class BrokenBody:
    """The body of a request that breaks off, or waits, where its upload says."""

    PIECE_BYTES = 8192

    def __init__(self, form, head_bytes, upload):
        self.form, self.at, self.upload = form, 0, upload
        self.end = len(form) if upload.cut_at is None else head_bytes + upload.cut_at
        self.middle = head_bytes + len(upload.content) // 2

    def __len__(self):
        return len(self.form)

    def __iter__(self):     # for requests to take it as a stream; it is read with `read`
        return iter(lambda: self.read(), b"")

    def read(self, size=-1):
        if self.at >= self.end and self.at < len(self.form):
            raise OSError("the upload was cut")
        stop = min(self.end, self.at + (self.PIECE_BYTES if size < 0 else min(size, self.PIECE_BYTES)))
        if self.upload.waits_halfway and self.at < self.middle <= stop:
            stop = self.middle
        piece, self.at = self.form[self.at:stop], stop
        if self.upload.waits_halfway and self.at > self.middle and not self.upload.is_halfway.is_set():
            self.upload.is_halfway.set()
            self.upload.goes_on.wait(HALFWAY_SECONDS)
        return piece


class UploadingTab:
    """A base class of ScriptedTab, which has the outbox and the record."""

    def __init__(self):
        self.file_count = 0
        self.form_token = None
        self.seen_files = set()             # (key, seq, file id)
        self.files_to_see = queue.Queue()   # (key, conversation id, seq, file id)

    def random_uploads(self, rng):
        """Return the files of a message."""
        uploads = []
        for _n in range(rng.randint(1, MAX_FILES)):
            self.file_count += 1
            name, size = f"{self.name.replace('/', '-')} {self.file_count}.txt", rng.randint(MIN_BYTES, MAX_BYTES)
            content = f"{self.name} {self.file_count};".encode() * size
            if rng.random() < SHARED_SHARE:
                content = f"shared {rng.randrange(SHARED_CONTENTS)};".encode() * MAX_BYTES
            content = content[:size] if not content.startswith(b"shared") else content[:MAX_BYTES]
            uploads.append(Upload(name, content, rng.randrange(len(content)) if rng.random() < CUT_SHARE else None))
        return uploads

    def upload_all(self, entry):
        """Upload what an entry has not uploaded yet; return whether all of it is there."""
        for upload in entry.uploads:
            if not upload.file_id and not self._upload_once(upload):
                return False
        return True

    def _upload_once(self, upload):
        """Try once to upload a file, or what is missing of it; return whether it is stored."""
        has_new_token = self.form_token is None
        try:
            answer = self._ask_for_upload(upload)
        except (requests.RequestException, OSError, ValueError, AttributeError):
            return False
        if answer.status_code == CREATED:
            upload.file_id = answer.json()["id"]
            self.record.note("uploaded", person=self.person.id, tab=self.name, clientId=upload.client_id, file=upload.file_id,
                             size=answer.json()["size"], bytes=len(upload.content))
            return True
        self.form_token = None
        if answer.status_code in FINAL and has_new_token:      # an old one belongs to a session that has ended
            self.record.note("upload_refused", tab=self.name, clientId=upload.client_id, status=answer.status_code, text=answer.text[:200])
        return False

    def _ask_for_upload(self, upload):
        self.form_token = self.form_token or self.person.token("/")
        headers, path = {"X-CSRFToken": self.form_token, "Accept": "application/json"}, f"/files/{upload.client_id}"
        if not upload.is_begun:
            upload.is_begun = True
            body, headers["Content-Type"] = upload.first_body()
            return self.person.post("/files", body, headers=headers)
        asked = self.person.get(f"{path}/offset", headers=headers)
        if asked.status_code != OK:
            return asked
        offset = asked.json()["offset"]
        return self.person.http.put(f"{self.person.url}{path}", upload.content[offset:], params={"offset": offset, "name": upload.name},
                                    headers={**headers, "Content-Type": "application/octet-stream"}, timeout=HALFWAY_SECONDS)

    # --- the files of others

    def see_files(self, key, message):
        """Fetch soon the files of a message that this tab shows."""
        for file in message["files"]:
            what = key, message["seq"], file["id"]
            if what not in self.seen_files:
                self.seen_files.add(what)
                self.files_to_see.put((key, message["conversationId"], message["seq"], file["id"]))

    def _look_at_files(self):
        while not self.closing:
            try:
                what = self.files_to_see.get(timeout=WAIT_SECONDS)
            except queue.Empty:
                continue
            if self.connected.is_set() and self._look_at(*what):
                continue
            self.files_to_see.put(what)
            time.sleep(RETRY_SECONDS)

    def _look_at(self, key, conversation_id, seq, file_id):
        """Fetch a file and note what it is; return whether there was an answer that decides it."""
        try:
            answer = self.person.get(f"/files/{file_id}")
            if answer.status_code not in (OK, NOT_FOUND):
                return False
            if answer.status_code == NOT_FOUND:
                shown = self.person.get(f"/conversations/{conversation_id}/messages/{seq}", headers={"Accept": "application/json"})
                if shown.status_code not in (OK, NOT_FOUND):
                    return False
                if shown.status_code == NOT_FOUND or shown.json()["message"]["deleted"]:
                    return True     # it is not shown any more
                if self.conversations[key].is_room:     # perhaps the person was out of the room for a moment
                    answer = self.person.get(f"/files/{file_id}")
        except (requests.RequestException, ValueError):
            return False
        self.record.note("file_seen", tab=self.name, conversation=self.conversations[key].name, seq=seq, file=file_id, status=answer.status_code,
                         hash=hashlib.sha256(answer.content).hexdigest() if answer.status_code == OK else "")
        return True
