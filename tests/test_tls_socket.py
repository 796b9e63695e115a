"""A TLS connection of the laboratory, which one thread reads and another one writes."""
import socket
import ssl
import threading

import pytest

from lab.tls_socket import TlsSocket
from tests.fronts import make_certificate

HOST = "127.0.0.1"
PIECES, PIECE = 5000, b"x" * 200
ANSWER_SECONDS = 60


@pytest.fixture
def connected(tmp_path):
    """The two ends of a connection: the client's, and the server's SSLSocket, which one thread has for itself."""
    certificate = make_certificate(tmp_path)
    answering = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    answering.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    ends = []
    with socket.create_server((HOST, 0)) as listener:
        accepting = threading.Thread(target=lambda: ends.append(answering.wrap_socket(listener.accept()[0], server_side=True)))
        accepting.start()
        asking = ssl.create_default_context(cafile=certificate / "cert.pem")
        client = asking.wrap_socket(socket.create_connection(listener.getsockname(), ANSWER_SECONDS), server_hostname=HOST)
        accepting.join(ANSWER_SECONDS)
    with client, ends[0] as server:
        yield client, server


def test_one_thread_reads_while_another_one_writes(connected):
    """With a bare SSLSocket the reader sees an end that nobody has sent, before Python 3.13.1."""
    client, server = TlsSocket(connected[0]), connected[1]

    def echo():
        while data := server.recv(4096):
            server.sendall(data)

    def write():
        for _n in range(PIECES):
            client.sendall(PIECE)
    threads = [threading.Thread(target=work) for work in (echo, write)]
    for thread in threads:
        thread.start()
    received = 0
    while received < PIECES * len(PIECE):
        data = client.recv(4096)
        assert data, f"ended after {received} bytes"
        received += len(data)
    threads[1].join(ANSWER_SECONDS)
    client.shutdown(socket.SHUT_RDWR)
    threads[0].join(ANSWER_SECONDS)
    assert not any(thread.is_alive() for thread in threads)


def test_a_wait_that_is_too_long_ends(connected):
    client = TlsSocket(connected[0])
    client.settimeout(0.01)
    with pytest.raises(TimeoutError):
        client.recv(1)
    assert client.gettimeout() == 0.01
    client.setblocking(True)
    connected[1].sendall(b"late")
    assert client.recv(100) == b"late"
