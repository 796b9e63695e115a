"""The HAProxy configuration of `run --processes`."""

CONFIGURATION = """\
# Written by `manage.py run --processes`. deploy/haproxy.cfg is the one to copy for several machines and for TLS.
defaults
    mode http
    timeout connect 2s
    # The head of a request, and between two requests; a body has the time that the chat itself gives it.
    timeout http-request 10s
    timeout http-keep-alive 30s
    timeout client  60s
    timeout server  60s
    timeout tunnel  60s
    # Who does not find their process any more goes to another one; what asks for nothing but a page also where the process
    # died in between.
    retries 3
    retry-on conn-failure empty-response
    option redispatch 1

frontend web
    bind {bind}
    http-request del-header X-Forwarded-Host
    http-request del-header Forwarded
    http-request disable-l7-retry unless METH_GET
{forwarding}
    default_backend chat

backend chat
    balance leastconn
    option httpchk GET /healthz
    # Long polling needs it: a request that reaches another process than the one before is refused.
    cookie SERVERID insert indirect nocache httponly{secure}
    default-server check inter 500ms fastinter 200ms fall 2 rise 1 on-marked-down shutdown-sessions pool-purge-delay 2s
{servers}
"""
# Without a proxy in front, headers that the client sends are replaced; with one, HAProxy appends to the proxy's headers.
FORWARDING = ("    http-request set-header X-Forwarded-For %[src]\n    http-request set-header X-Forwarded-Proto http",
              "    option forwardfor\n    http-request add-header X-Forwarded-Proto http")


def configuration(settings, workers):
    """Return the text of the configuration."""
    host = settings["HOST"]
    servers = "\n".join(f"    server {worker.name.replace(' ', '-')} {worker.settings['HOST']}:{worker.port} cookie {n}"
                        for n, worker in enumerate(workers, 1))
    return CONFIGURATION.format(bind=f"{f'[{host}]' if ':' in host else host}:{settings['PORT']}", servers=servers,
                                forwarding=FORWARDING[settings["PROXIES"] > 0], secure=" secure" if settings["HTTPS"] else "")
