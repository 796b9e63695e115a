"""Tells when a request over long polling has failed, which python-engineio's client may take no notice of."""
import requests

OK = range(200, 300)


class TelltaleSession(requests.Session):
    """Calls `failed()` as soon as a request got no answer, or one that is not 2xx; the outcome stays what it is.

    python-engineio 4: when a poll fails, its reader waits for its writer to end, and where the order to end is taken from
    the queue together with a packet, the writer never does (client.py, `_write_loop`). The client then says that it is
    connected, sends, and reads nothing.
    """

    def __init__(self, failed):
        super().__init__()
        self.failed = failed

    def request(self, *arguments, **options):
        try:
            answer = super().request(*arguments, **options)
        except requests.RequestException:
            self.failed()
            raise
        if answer.status_code not in OK:
            self.failed()
        return answer
