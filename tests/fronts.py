"""nginx and HAProxy as deploy/ configures them, with nothing changed but names, ports and files."""
import contextlib
import grp
import os
import pwd
import socket
import subprocess
import threading

from tests.private_server import HOST, free_ports
from tests.server import ROOT
from tools import programs

DEPLOY = ROOT / "deploy"
START_SECONDS = 30          # until a proxy listens
CONNECTIONS = 4096          # of nginx, as deploy/nginx.conf says that they have to be set


def make_certificate(folder):
    """Make a certificate for this machine in that folder: cert.pem, key.pem, and both in chat.pem; return the folder."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1,IP:::1",
                    "-keyout", folder / "key.pem", "-out", folder / "cert.pem"], check=True, capture_output=True)
    (folder / "chat.pem").write_bytes((folder / "cert.pem").read_bytes() + (folder / "key.pem").read_bytes())
    return folder


def replaced(file, replacements):
    text = (DEPLOY / file).read_text(encoding="utf-8")
    for old, new in replacements.items():
        assert old in text, f"{file} has no {old!r}"
        text = text.replace(old, str(new))
    return text


def nginx(folder, ports, web, tls, certificate):
    first, *more = ports
    site = folder / "chat.conf"
    site.write_text(replaced("nginx.conf", {
        "chat.example.org;": "127.0.0.1;", "listen 80;": f"listen {HOST}:{web};", "listen 443 ssl;": f"listen {HOST}:{tls} ssl;",
        "/etc/letsencrypt/live/chat.example.org/fullchain.pem": certificate / "cert.pem",
        "/etc/letsencrypt/live/chat.example.org/privkey.pem": certificate / "key.pem", "127.0.0.1:5000": f"{HOST}:{first}",
        "# server 10.0.0.2:5000;": "".join(f"server {HOST}:{port};" for port in more)}))
    temporary = "\n".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    main = folder / "nginx.conf"
    user = "" if os.geteuid() else "user root;"     # nobody else could write into this folder what a body holds
    main.write_text(f"{user} daemon off; pid {folder}/pid; error_log stderr; events {{ worker_connections {CONNECTIONS}; }}\n"
                    f"http {{ access_log off; {temporary}\ninclude {site}; }}\n")
    return [programs.NGINX.path(), "-c", str(main), "-p", str(folder)]


def may_become(name):
    """Tell whether this process may start another one as that user and group."""
    with contextlib.suppress(KeyError):
        return os.geteuid() == 0 and bool(pwd.getpwnam(name) and grp.getgrnam(name))
    return False


def haproxy(folder, ports, web, tls, certificate, log="/dev/log"):
    first, *more = ports
    configuration = folder / "haproxy.cfg"
    another = {} if may_become("haproxy") else {"    user haproxy\n": "", "    group haproxy\n": ""}
    configuration.write_text(replaced("haproxy.cfg", {
        **another, "prefix https://chat.example.org": f"prefix https://{HOST}", "log /dev/log local0": f"log {log} local0",
        "bind :80": f"bind {HOST}:{web}", "bind :443": f"bind {HOST}:{tls}", "/etc/haproxy/chat.pem": certificate / "chat.pem",
        "127.0.0.1:5000": f"{HOST}:{first}",
        "# server two 10.0.0.2:5000 cookie two": "".join(f"server other{port} {HOST}:{port} cookie other{port}" for port in more)}))
    return [programs.HAPROXY.path(), "-db", "-f", str(configuration)]


FRONTS = {"nginx": nginx, "haproxy": haproxy}


class Front:
    """One of them in front of one port or several, as a context manager; `http` and `https` are its addresses."""

    def __init__(self, command, folder, certificate, ports):
        self.web = free_ports(2)
        self.http, self.https = f"http://{HOST}:{self.web}", f"https://{HOST}:{self.web + 1}"
        self.command, self.folder = command(folder, ports, self.web, self.web + 1, certificate), folder

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            log = stack.enter_context(open(self.folder / "log", "w+"))
            process = subprocess.Popen(self.command, stdout=log, stderr=log)
            stack.callback(process.wait)
            stack.callback(process.terminate)
            for _n in range(START_SECONDS * 20):
                with contextlib.suppress(OSError):
                    socket.create_connection((HOST, self.web + 1), 1).close()
                    self.running = stack.pop_all()
                    return self
                assert process.poll() is None, (self.folder / "log").read_text()
                threading.Event().wait(0.05)
            raise AssertionError("it does not listen: " + (self.folder / "log").read_text())

    def __exit__(self, *_error):
        self.running.close()
