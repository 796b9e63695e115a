"""Files are uploaded while the server dies or its answer is lost, and messages are deleted whose files others have too."""
from tests.waiting import wait_for

from ..instrumented_server import BEFORE_ANSWER, OF_FILE
from ..uploads import Upload
from .registry import fault
from .server import restart

WAIT_SECONDS = 10
LARGE_BYTES = 2 * 1024 * 1024
RACES = 6                   # deletions, each while the same content is sent in another message


def content(environment, size=LARGE_BYTES):
    """Return bytes that no other file has."""
    return (f"file {environment.count('files')};".encode() * size)[:size]


def write(environment, tab, to, *uploads):
    tab.write(environment.accounts[to].id, uploads=uploads)


@fault("killed while a file is uploaded")
def killed_meanwhile(environment):
    """Half of it has come; then it goes on, or begins again."""
    upload = Upload("half.txt", content(environment), waits_halfway=True)
    write(environment, environment.anna, "bert", upload)
    try:
        if not upload.is_halfway.wait(WAIT_SECONDS):
            raise RuntimeError("the upload did not come so far")
        environment.kill_server()
    finally:
        upload.goes_on.set()
    restart(environment)


@fault("killed before the answer to an upload")
def killed_before_answer(environment):
    environment.arm(BEFORE_ANSWER + OF_FILE)
    write(environment, environment.anna, "bert", Upload("answer.txt", content(environment)))
    if not environment.wait_until_ended():
        raise RuntimeError(f"the fail point {BEFORE_ANSWER}{OF_FILE} was not reached")
    restart(environment)


@fault("an upload cut by the network")
def cut(environment):
    """The connection ends in the middle of the content, more than once."""
    size = LARGE_BYTES // 2
    write(environment, environment.anna, "bert", *(Upload(f"cut {n}.txt", content(environment, size), cut_at=size * n // 4) for n in range(1, 4)))
    wait_for(lambda: not environment.anna.pending_count(), WAIT_SECONDS)


@fault("deleted while the same file is sent again")
def deleted_meanwhile(environment):
    """One message loses its file, and another one with the same content keeps it."""
    anna, bert = environment.anna, environment.bert
    for _n in range(RACES):
        same = content(environment, 1000)
        write(environment, anna, "bert", Upload("one.txt", same))
        wait_for(lambda: not anna.pending_count(), WAIT_SECONDS)
        write(environment, bert, "anna", Upload("other.txt", same))
        seqs = anna.changeable(bert.person.id, of=anna.person.id)[:1]
        if seqs:
            anna.change(bert.person.id, seqs[0], delete=True)
    wait_for(lambda: not environment.pending_count(), WAIT_SECONDS)
