"""Pages over a full database: their time must not grow with the number of messages or people."""
import contextlib
import statistics
import time

import requests

from . import seed_data

PAGES_BACK = 5              # from the end of the conversation
TERMS = ("a", "ba", "77", "lama", "nobody is called this")  # search terms that match nearly all names, some, or none
MY_CONVERSATIONS, MY_MESSAGES = 30, 20                      # of the person who opens the home page


def history(subject, scope):
    """Return the milliseconds to open a conversation and page back in it, for the long one and for the short one."""
    me, talkative, quiet = subject.people(3)
    seed_data.fill(subject, me["id"], talkative["id"], quiet["id"], scope)
    subject.run("ANALYZE TABLE messages")
    with browser(me) as http:
        long, short = in_turns(scope.openings, *(
            open_and_page_back(http, f"{subject.url}/chat/{name}", f"{subject.url}/messages/{name}", before)
            for name, before in ((talkative["username"], scope.long // 2), (quiet["username"], scope.short // 2 + 1))))
    return {"long_ms": long, "short_ms": short}


def open_and_page_back(http, page, messages, before):
    """Return the function that opens a conversation's page and gets some older messages."""
    def act():
        get(http, page)
        for _page in range(PAGES_BACK):
            get(http, messages, before=before)
    return act


def home(full, empty, scope):
    """Return the milliseconds of the home page with many people and with few."""
    for subject, number in ((full, scope.people), (empty, scope.few_people)):
        seed_data.people(subject, number)
        me = subject.people(1)[0]
        others = [row["id"] for row in subject.database.query("SELECT id FROM users WHERE id <> %s ORDER BY id LIMIT %s",
                                                              (me["id"], MY_CONVERSATIONS))]
        for n, other in enumerate(others, 1):
            seed_data.talk(subject, n, me["id"], other, MY_MESSAGES)
        subject.me = me
    with browser(full.me) as at_full, browser(empty.me) as at_empty:
        many, few = in_turns(scope.openings, lambda: get(at_full, f"{full.url}/"), lambda: get(at_empty, f"{empty.url}/"))
    return {"many_ms": many, "few_ms": few}


def search(full, scope):
    """Return the milliseconds of the slowest search among many people, and of a page of history."""
    friend = full.database.query("SELECT u.username FROM users u JOIN members m ON m.user_id = u.id"
                                 " WHERE m.conversation_id = 1 AND u.id <> %s", (full.me["id"],))[0]["username"]
    with browser(full.me) as http:
        http.headers["Accept"] = "application/json"
        times = in_turns(scope.openings, lambda: get(http, f"{full.url}/messages/{friend}"),
                         *(lambda term=term: get(http, f"{full.url}/users", q=term) for term in TERMS))
    return {"history_ms": times[0], "search_ms": max(times[1:]), "slowest": TERMS[times.index(max(times[1:])) - 1]}


def in_turns(repetitions, *acts):
    """Return the median milliseconds of each function, called in turns."""
    taken = [[] for _act in acts]
    for _n in range(repetitions):
        for act, times in zip(acts, taken):
            begun = time.perf_counter()
            act()
            times.append((time.perf_counter() - begun) * 1000)
    return [statistics.median(times) for times in taken]


@contextlib.contextmanager
def browser(person):
    with requests.Session() as http:
        http.headers["Cookie"] = person["cookie"]
        yield http


def get(http, url, **params):
    http.get(url, params=params, timeout=60).raise_for_status()
