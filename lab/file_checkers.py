"""The invariant of files, P14. The checker reads the evidence of a run and nothing else, and yields the violations."""
from collections import Counter

REMOVAL_SECONDS = 60 + 15   # after a deletion, until its file is nowhere; and what a busy machine takes to look


def files_are_kept(evidence):
    """P14: a message has the files with which it was written, whole and stored once, and who is shown it can fetch them."""
    yield from _stored_once(evidence)
    yield from _kept_as_written(evidence)
    yield from _fetched_by_all(evidence)
    yield from _gone_when_deleted(evidence)


def _stored_once(evidence):
    count = Counter((file["userId"], file["clientId"]) for file in evidence.files)
    yield from (f"the upload {client_id} of {user} is stored {n} times" for (user, client_id), n in count.items() if n > 1)
    ids = {}
    for event in evidence.of("uploaded"):
        first = ids.setdefault((event["person"], event["clientId"]), event["file"])
        if first != event["file"]:
            yield f"the upload {event['clientId']} of {event['tab']} was answered as {first} and as {event['file']}"
        if event["size"] != event["bytes"]:
            yield f"the upload {event['clientId']} of {event['tab']} has {event['bytes']} bytes and was answered as {event['size']}"
    yield from (f"the upload {event['clientId']} of {event['tab']} was refused: {event['status']} {event['text']}" for event in evidence.of("upload_refused"))


def _kept_as_written(evidence):
    written, files = evidence.written(), {file["id"]: file for file in evidence.files}
    for conversation, rows in evidence.rows.items():
        for row in rows:
            asked = written.get((row["senderId"], row["clientId"]), {}).get("files", ())
            kept = [files.get(file_id, {"clientId": f"file {file_id}, which is not there"})["clientId"] for file_id in row["files"]]
            expected = [] if row["deleted"] else [client_id for client_id, _hash in asked]
            if kept != expected:
                yield f"{row['seq']} of {conversation} was written with {expected} and has {kept}"
            yield from (f"{file_id}, a file of {row['seq']} of {conversation}, is answered {evidence.contents.get(file_id)} at the end"
                        for file_id, (_client_id, content) in zip(row["files"], asked) if evidence.contents.get(file_id) != content)


def _fetched_by_all(evidence):
    written = evidence.written()
    expected = {}       # (conversation, seq) -> the contents with which it was written
    for conversation, rows in evidence.rows.items():
        for row in rows:
            asked = written.get((row["senderId"], row["clientId"]), {}).get("files", ())
            expected[conversation, row["seq"]] = {content for _client_id, content in asked}
    for event in evidence.of("file_seen"):
        place = event["conversation"], event["seq"]
        if event["hash"] not in expected.get(place, ()):
            yield f"{event['tab']} was shown {event['seq']} of {event['conversation']}, and its file {event['file']} was answered {event['status']} {event['hash'][:8]}"


def _gone_when_deleted(evidence):
    """A content is nowhere a minute after the last message that had it was deleted."""
    written, asked, deleted = evidence.written(), evidence.asked_changes(), {}
    for event in evidence.of("changed"):
        change = asked[event["person"], event["clientId"]]
        if event["outcome"] == "acknowledged" and "delete" in change["verb"]:
            deleted[change["conversation"], change["seq"]] = event["t"]
    uploads = {client_id: content for event in evidence.of("written") for client_id, content in event.get("files", ())}
    held = {uploads.get(file["clientId"]) for file in evidence.files}
    for conversation, rows in evidence.rows.items():
        for row in rows:
            at = deleted.get((conversation, row["seq"]), evidence.ended_at)
            for client_id, content in written.get((row["senderId"], row["clientId"]), {}).get("files", ()):
                if at < evidence.ended_at - REMOVAL_SECONDS and content in evidence.blobs and content not in held:
                    yield f"{client_id} of {row['seq']} of {conversation} is still kept {evidence.ended_at - at:.0f} s after its deletion"
