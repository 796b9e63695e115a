"""The table: the comparisons and their limits."""
from dataclasses import dataclass
from typing import Callable

AT_MOST, AT_LEAST = "≤", "≥"


@dataclass(frozen=True)
class Row:
    """A row of the table. `value(results)` is compared with the limit; `detail(results)` says how it was computed."""

    title: str
    needs: tuple        # (what, who, …) that must have been measured
    value: Callable
    sign: str
    limit: Callable        # function of the results, usually constant
    detail: Callable
    unit: str = ""

    def is_met(self, results):
        value, limit = self.value(results), self.limit(results)
        return value <= limit if self.sign == AT_MOST else value >= limit


def ratio(title, what, figure, sign, limit, unit, one="chat", other="peer", other_what=None):
    """Return a row that divides one subject's figure by another's."""
    other_what = other_what or what
    return Row(title, ((what, one), (other_what, other)),
               lambda m: m.median(what, one, figure) / m.median(other_what, other, figure), sign, lambda m: limit,
               lambda m: f"{m.median(what, one, figure):,.4g} {unit} to {m.median(other_what, other, figure):,.4g}")


ROWS = (
    ratio("CPU of server and database per stored and delivered message, 200 people, 64 in flight",
          "saturated", "cpu_us", AT_MOST, 0.7, "µs"),
    ratio("the same at 200 messages/s, 500 people", "paced", "cpu_us", AT_MOST, 1.0, "µs"),
    ratio("messages/s at saturation", "saturated", "messages_s", AT_LEAST, 1.3, "/s"),
    ratio("send to delivery at 200/s, 500 people: median", "paced", "p50_ms", AT_MOST, 1.2, "ms"),
    ratio("send to delivery at 200/s, 500 people: 99th percentile", "paced", "p99_ms", AT_MOST, 1.0, "ms"),
    ratio("CPU per message over long polling, against the peer over long polling", "polling", "cpu_us", AT_MOST, 2.0, "µs"),
    ratio("CPU per message against the baseline", "saturated", "cpu_us", AT_MOST, 2.0, "µs", other="baseline"),
    Row("memory for an idle connection", (("memory", "chat"),), lambda m: m.median("memory", "chat", "kb"), AT_MOST, lambda m: 50,
        lambda m: "resident" + (f"; peer {m.median('memory', 'peer', 'kb'):.0f} KB" if m.has("memory", "peer") else ""), "KB"),
    ratio("embedded mode against server mode: CPU per message", "saturated", "cpu_us", AT_MOST, 0.7, "µs", one="embedded", other="chat"),
    ratio("delivery, 99th percentile, with 2 logins per second, against without", "logins", "p99_ms", AT_MOST, 2.0, "ms",
          other="chat", other_what="paced"),
    ratio("1,000 people reconnect after a restart: CPU for each, against 100 people", "storm", "cpu_us", AT_MOST, 1.5, "µs",
          one="many", other="few"),
    Row("bytes that each of the 1,000 receives then", (("storm", "many"),), lambda m: m.median("storm", "many", "bytes"), AT_MOST,
        lambda m: 2048 + 16 * m.median("storm", "many", "online"),
        lambda m: f"2 KB, and 16 bytes for each of {m.median('storm', 'many', 'online'):,} online", "bytes"),
    ratio("presence: bytes for each person online when one more comes online, 1,000 online against 100", "storm", "bytes_for_one_more",
          AT_MOST, 1.0, "bytes", one="many", other="few"),
    Row("opening a conversation and paging back, with 10,000,000 messages stored: 1,000,000 in it against 100", (("history", "chat"),),
        lambda m: m.median("history", "chat", "long_ms") / m.median("history", "chat", "short_ms"), AT_MOST, lambda m: 1.2,
        lambda m: f"{m.median('history', 'chat', 'long_ms'):.1f} ms to {m.median('history', 'chat', 'short_ms'):.1f}"),
    Row("home page: 100,000 people against 100", (("home", "chat"),),
        lambda m: m.median("home", "chat", "many_ms") / m.median("home", "chat", "few_ms"), AT_MOST, lambda m: 1.5,
        lambda m: f"{m.median('home', 'chat', 'many_ms'):.1f} ms to {m.median('home', 'chat', 'few_ms'):.1f}"),
    Row("search among 100,000 people against a page of history", (("search", "chat"),),
        lambda m: m.median("search", "chat", "search_ms") / m.median("search", "chat", "history_ms"), AT_MOST, lambda m: 5,
        lambda m: f"{m.median('search', 'chat', 'search_ms'):.1f} ms to {m.median('search', 'chat', 'history_ms'):.1f}"),
)


def of_restart(results, figure):
    return results.median("restart", "three processes", figure)


def restart_row(title, value, limit, unit, detail):
    return Row(title, (("restart", "three processes"),), value, AT_MOST, lambda m: limit, detail, unit)


CLUSTER = (
    ratio("CPU per message with four processes and HAProxy, against one process", "saturated", "cpu_us", AT_MOST, 1.3, "µs",
          one="four processes", other="one process"),
    ratio("the same at 200 messages/s, 500 people", "paced", "cpu_us", AT_MOST, 1.3, "µs", one="four processes", other="one process"),
    ratio("delivery at 200/s, 99th percentile: four processes against one", "paced", "p99_ms", AT_MOST, 2.0, "ms",
          one="four processes", other="one process"),
    ratio("messages between two, four processes against four of the peer's with its Redis adapter: CPU per message, 64 in flight", "saturated",
          "cpu_us", AT_MOST, 0.8, "µs", one="four processes", other="four peers"),
    ratio("the same with 512 in flight", "crowded", "cpu_us", AT_MOST, 0.6, "µs", one="four processes", other="four peers"),
    ratio("the same at 200 messages/s, 500 people", "paced", "cpu_us", AT_MOST, 1.0, "µs", one="four processes", other="four peers"),
    restart_row("messages lost, doubled or out of order in a rolling restart of 3 processes, 200 messages/s, 500 people",
                lambda m: sum(of_restart(m, figure) for figure in ("lost", "doubled", "out_of_order")), 0, "",
                lambda m: f"{of_restart(m, 'messages'):,} messages, {of_restart(m, 'messages_s'):.0f} per second;"
                          f" the restart {of_restart(m, 'restart_s'):.1f} s"),
    restart_row("longest time that anybody was disconnected meanwhile", lambda m: of_restart(m, "longest_break_s"), 5, "s",
                lambda m: f"{of_restart(m, 'breaks'):,} disconnections"),
)


def room_row(title, what, many, few, limit):
    """Return a row that divides the milliseconds with much by those with little."""
    return Row(title, ((what, "chat"),), lambda m: m.median(what, "chat", many) / m.median(what, "chat", few), AT_MOST, lambda m: limit,
               lambda m: f"{m.median(what, 'chat', many):.1f} ms to {m.median(what, 'chat', few):.1f}")


ROOMS = (
    ratio("CPU per message between two, against the commit before there were rooms", "direct", "cpu_us", AT_MOST, 1.03, "µs",
          other="before rooms"),
    ratio("a room of 1,000 connected members, 8 messages in flight: deliveries/s", "room", "deliveries_s", AT_LEAST, 1.0, "/s"),
    ratio("the same: CPU of server and database per delivery", "room", "cpu_us", AT_MOST, 1.0, "µs"),
    ratio("delivery between two while the room gets half of what it can, 99th percentile", "beside", "p99_ms", AT_MOST, 1.0, "ms"),
    ratio("the same with four processes behind HAProxy, against four of the peer's with its Redis adapter", "room", "cpu_us", AT_MOST, 1.0,
          "µs", one="four processes", other="four peers"),
    room_row("home page of somebody with 500 rooms against 5", "rooms home", "many_ms", "few_ms", 1.2),
    room_row("opening a room and paging back: 1,000 members and 1,000,000 messages against 3 and 100", "room history", "large_ms", "small_ms",
             1.2),
    ratio("1,000 members reconnect after a restart: CPU for each, against the same without the room", "room storm", "cpu_us", AT_MOST, 1.3,
          "µs", one="with", other="without"),
    ratio("the same: bytes that each receives", "room storm", "bytes", AT_MOST, 1.3, "bytes", one="with", other="without"),
)


def changes_row(title, what, figure, other, limit, unit):
    """Return a row that divides one figure of a measurement by another."""
    return Row(title, ((what, "chat"),), lambda m: m.median(what, "chat", figure) / m.median(what, "chat", other), AT_MOST, lambda m: limit,
               lambda m: f"{m.median(what, 'chat', figure):,.4g} {unit} to {m.median(what, 'chat', other):,.4g}")


CHANGES = (
    ratio("CPU per message between two, against the commit before messages could change", "unchanged", "cpu_us", AT_MOST, 1.02, "µs",
          other="before changes"),
    ratio("CPU of server and database per edit, against a message", "edited", "cpu_us", AT_MOST, 2.0, "µs", other="chat", other_what="unchanged"),
    ratio("the same per reaction", "reacted", "cpu_us", AT_MOST, 2.0, "µs", other="chat", other_what="unchanged"),
    changes_row("opening a page of 50 messages with 10 reactions each, against one without", "reactions", "with_ms", "without_ms", 1.3, "ms"),
    changes_row("catching up 1,000 changes of 200 messages: bytes, against fetching the 200 messages", "catching up", "caught_up_bytes",
                "fetched_bytes", 1.2, "bytes"),
)


WRITING = (
    changes_row("CPU of opening a page of 50 formatted messages, against one of 50 plain messages", "formatted", "formatted_cpu_ms", "plain_cpu_ms",
                1.3, "ms"),
    ratio("CPU per plain message between two, against the commit before there were formatting and files", "plain", "cpu_us", AT_MOST, 1.05, "µs",
          other="before files"),
    ratio("CPU of a file of 25 MB that is sent as a form, against the peer (Express with busboy)", "upload", "cpu_ms", AT_MOST, 1.5, "ms"),
    Row("memory: by how much the process grows in 20 such uploads", (("upload", "chat"),), lambda m: m.median("upload", "chat", "growth_kb") / 1024, AT_MOST,
        lambda m: 10, lambda m: f"peer {m.median('upload', 'peer', 'growth_kb') / 1024:.1f} MB" if m.has("upload", "peer") else "", "MB"),
)


def page_row(title, figure, limit, unit=""):
    return Row(title, (("pages", "chat"),), lambda m: m.median("pages", "chat", figure), AT_MOST, lambda m: limit,
               lambda m: "the worst of login, home and conversation", unit)


def browser_row(title, figure, limit, unit, detail):
    return Row(title, (("browser", "chat"),), lambda m: m.median("browser", "chat", figure), AT_MOST, lambda m: limit, lambda m: detail, unit)


WEIGHT = (
    page_row("JavaScript, gzipped", "script_bytes", 40 * 1024, "bytes"),
    page_row("CSS, gzipped", "style_bytes", 10 * 1024, "bytes"),
    page_row("requests of a first view, without the socket", "requests", 12),
    page_row("largest contentful paint, Lighthouse mobile", "lcp_ms", 1500, "ms"),
    page_row("total blocking time", "blocking_ms", 100, "ms"),
    page_row("layout shift", "shift", 0.02),
    browser_row("static bytes of a second view", "second_view_bytes", 0, "bytes", "home, then a conversation"),
    browser_row("interaction to next paint at a 4 times slower CPU", "interaction_ms", 100, "ms",
                "the slowest of writing, sending and choosing a person"),
    browser_row("from Enter to the message on the other person's page, two browsers on this machine, median", "bubble_ms", 50, "ms",
                "measured in both pages"),
)
