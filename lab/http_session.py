"""Reports that a long-polling request has failed. python-engineio's client may ignore it."""
import requests

OK = range(200, 300)


class ReportingSession(requests.Session):
    """Calls `failed()` when a request gets no answer or one that is not 2xx. The caller gets the answer or error as usual.

    This works around a defect in python-engineio 4. When a poll fails, the reader waits for the writer to end. If the writer
    takes its order to end from the queue together with a packet, it never ends (client.py, `_write_loop`). The client
    then seems connected: it sends, and reads nothing.
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
