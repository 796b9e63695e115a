"""Mutants of what happens to files; mutants.py has the list, and says what they are for."""
from .mutants import change_schema


def row_before_content():
    """Stores that a file is there, and then the file."""
    from chat.conversations.file import File
    from chat.conversations.uploads import Uploads
    from chat.clock import now
    from chat.errors import Duplicate

    from .instrumented_server import BEFORE_ANSWER, OF_FILE, exit_at

    def store(self, file, path, preview_path):
        file.created_at = now()
        try:
            file.insert(self.database)
        except Duplicate:
            return File.by_client_id(self.database, file.user_id, file.client_id)
        exit_at(BEFORE_ANSWER + OF_FILE)
        self.store.save(path, file.hash)
        return file
    Uploads._store = store


def upload_counts_twice():
    """Without the unique key of (user, clientId) an upload that is sent again is another file."""
    from chat.conversations.file import File
    change_schema(lambda schema: schema.replace("    UNIQUE (user_id, client_id),\n    UNIQUE (hash, id),\n", "    UNIQUE (hash, id),\n"))
    File.by_client_id = classmethod(lambda cls, database, user_id, client_id: None)


def removes_what_others_hold():
    """Removes the content of a file whose message was deleted, whoever else has the same one."""
    from chat.conversations import file, file_removal
    file_removal.SWEEP_INTERVAL, file.RELEASE_SECONDS = 0.2, 0
    file.File.with_hash = classmethod(lambda cls, database, content_hash: None)


def keeps_files_of_deleted():
    """A deletion leaves the message its files."""
    from chat.conversations import change_effects
    change_effects.releasing_statements = lambda place, files: []


def goes_on_one_byte_before():
    """Says that an upload was cut one byte earlier than it was, and appends what comes."""
    from chat.conversations.transfers import Transfers
    from chat.conversations.uploads import Uploads
    find, resume = Uploads.find, Transfers.resume

    def find_less(self, user_id, client_id):
        size, file = find(self, user_id, client_id)
        return size if file else max(0, size - 1), file

    def append(self, user_id, client_id, _offset, length, chunks):
        return resume(self, user_id, client_id, self.partials.size(user_id, client_id), length, chunks)
    Uploads.find, Transfers.resume = find_less, append
