"""The login of MySQL 8 and 9 in front of a MariaDB: what comes after it goes to that one, as it is.

An account there has the plugin caching_sha2_password: the server keeps a digest of a password from the first login until it
ends, and whoever it has none of must send the password itself, through TLS.
"""
import contextlib
import os
import select
import socket
import ssl
import struct
import subprocess
import threading

import pymysql
from pymysql._auth import scramble_caching_sha2
from pymysql.constants import CLIENT, ER

from tools import programs

USER, PASSWORD = "anna", "sécret#1"
PLUGIN = b"caching_sha2_password"
FAST, FULL = b"\x01\x03", b"\x01\x04"       # what follows the digest: it was right, or the password itself is asked for
CAPABILITIES = (CLIENT.LONG_PASSWORD | CLIENT.FOUND_ROWS | CLIENT.LONG_FLAG | CLIENT.CONNECT_WITH_DB | CLIENT.PROTOCOL_41
                | CLIENT.TRANSACTIONS | CLIENT.SECURE_CONNECTION | CLIENT.MULTI_RESULTS | CLIENT.PLUGIN_AUTH)
OK = b"\0\0\0\x02\0\0\0"
BUFFER = 65536      # bytes


class MySQLLogin:
    """Takes connections as MySQL 9 does, and passes what is asked over them to `server`. Use it as a context manager."""

    def __init__(self, server, directory, tls=True):
        self.server = server
        self.knows_password = False     # a restart of the server forgets it
        self.logins = []                # of each: "fast" or "full", with or without TLS
        self.tls = tls and _tls_context(directory)
        self.listener = socket.create_server(("127.0.0.1", 0))

    @property
    def port(self):
        return self.listener.getsockname()[1]

    def url(self, password=PASSWORD):
        return f"mysql://{USER}:{password.replace('#', '%23')}@127.0.0.1:{self.port}/chat"

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_error):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._serve, args=(self.listener.accept()[0],), daemon=True).start()

    def _serve(self, connection):
        visit = _Visit(self, connection)
        with contextlib.suppress(OSError, EOFError, pymysql.MySQLError):
            visit.serve()
        visit.connection.close()


class _Visit:
    """One connection."""

    def __init__(self, login, connection):
        self.login, self.connection, self.number = login, connection, 0

    def serve(self):
        salt = bytes(byte % 127 + 1 for byte in os.urandom(20))
        capabilities = CAPABILITIES | (CLIENT.SSL if self.login.tls else 0)
        self._send(b"\x0a9.7.4\0" + struct.pack("<I", 1) + salt[:8] + b"\0"
                   + struct.pack("<HBHHB", capabilities & 0xffff, 255, 2, capabilities >> 16, 21)
                   + bytes(10) + salt[8:] + b"\0" + PLUGIN + b"\0")
        answer = self._receive()
        flags, = struct.unpack_from("<I", answer)
        encrypted = bool(flags & CLIENT.SSL)
        if encrypted:
            self.connection = self.login.tls.wrap_socket(self.connection, server_side=True)
            answer = self._receive()
        user, rest = answer[32:].split(b"\0", 1)
        digest, rest = rest[1:1 + rest[0]], rest[1 + rest[0]:]
        database = rest.split(b"\0", 1)[0].decode() if flags & CLIENT.CONNECT_WITH_DB else None
        if user.decode() != USER or not self._has_password(digest, salt, encrypted):
            return self._refuse(ER.ACCESS_DENIED_ERROR, f"Access denied for user '{user.decode()}'@'localhost' (using password: YES)")
        try:
            upstream = self.login.server.connect(database=database, client_flag=flags & CLIENT.FOUND_ROWS)
        except pymysql.OperationalError as error:
            return self._refuse(*error.args)
        with upstream:
            self._send(OK)
            self._pass_on(upstream._sock)

    def _has_password(self, digest, salt, encrypted):
        way = "encrypted" if encrypted else "plain"
        if self.login.knows_password and digest == scramble_caching_sha2(PASSWORD.encode(), salt):
            self._send(FAST)
            self.login.logins.append(f"fast, {way}")
            return True
        self.login.logins.append(f"full, {way}")
        self._send(FULL)
        sent = self._receive()
        if not encrypted:               # it asks for the key of RSA, with which the chat can do nothing
            self._send(b"\x01-----BEGIN PUBLIC KEY-----")
            self._receive()
        self.login.knows_password = sent == PASSWORD.encode() + b"\0"
        return self.login.knows_password

    def _pass_on(self, upstream):
        ways = {self.connection: upstream, upstream: self.connection}
        while True:
            for source in select.select(list(ways), [], [])[0]:
                data = source.recv(BUFFER)
                while getattr(source, "pending", int)():        # TLS has read it from the network already
                    data += source.recv(BUFFER)
                if not data:
                    return
                ways[source].sendall(data)

    def _send(self, payload):
        self.connection.sendall(struct.pack("<I", len(payload))[:3] + bytes([self.number]) + payload)
        self.number += 1

    def _refuse(self, code, message):
        self._send(b"\xff" + struct.pack("<H", code) + b"#28000" + message.encode())

    def _receive(self):
        head = self._exactly(4)
        self.number = head[3] + 1
        return self._exactly(int.from_bytes(head[:3], "little"))

    def _exactly(self, count):
        data = b""
        while len(data) < count:
            part = self.connection.recv(count - len(data))
            if not part:
                raise EOFError
            data += part
        return data


def _tls_context(directory):
    """A certificate as MySQL makes itself one on its first start: nobody has signed it."""
    certificate, key = directory / "server-cert.pem", directory / "server-key.pem"
    subprocess.run([programs.OPENSSL.path(), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=MySQL_Server",
                    "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
