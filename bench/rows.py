"""The table: what is compared, and the bar of each comparison."""
from dataclasses import dataclass
from typing import Callable

AT_MOST, AT_LEAST = "≤", "≥"


@dataclass(frozen=True)
class Row:
    """One line of the table. `value(measured)` is the figure that the bar is for, `told(measured)` what it was made of."""

    title: str
    needs: tuple            # (what, who, …) that must have been measured
    value: Callable
    sign: str
    bar: Callable           # of measured; mostly a constant
    told: Callable
    unit: str = ""

    def holds(self, measured):
        value, bar = self.value(measured), self.bar(measured)
        return value <= bar if self.sign == AT_MOST else value >= bar


def ratio(title, what, figure, sign, bar, unit, one="chat", other="peer", other_what=None):
    """Return a row that divides one subject's figure by another's."""
    other_what = other_what or what
    return Row(title, ((what, one), (other_what, other)),
               lambda m: m.median(what, one, figure) / m.median(other_what, other, figure), sign, lambda m: bar,
               lambda m: f"{m.median(what, one, figure):,.4g} {unit} to {m.median(other_what, other, figure):,.4g}")


ROWS = (
    ratio("CPU of server and database for a stored and delivered message, 200 people, 64 in flight",
          "saturated", "cpu_us", AT_MOST, 0.7, "µs"),
    ratio("the same at 200 messages/s, 500 people", "paced", "cpu_us", AT_MOST, 1.0, "µs"),
    ratio("messages/s at saturation", "saturated", "messages_s", AT_LEAST, 1.3, "/s"),
    ratio("send to delivery at 200/s, 500 people: median", "paced", "p50_ms", AT_MOST, 1.2, "ms"),
    ratio("send to delivery at 200/s, 500 people: 99 of 100", "paced", "p99_ms", AT_MOST, 1.0, "ms"),
    ratio("CPU a message over long polling, against the peer over long polling", "polling", "cpu_us", AT_MOST, 2.0, "µs"),
    ratio("CPU a message against our own floor", "saturated", "cpu_us", AT_MOST, 2.0, "µs", other="floor"),
    Row("memory for an idle connection", (("memory", "chat"),), lambda m: m.median("memory", "chat", "kb"), AT_MOST, lambda m: 50,
        lambda m: "resident" + (f"; peer {m.median('memory', 'peer', 'kb'):.0f} KB" if m.has("memory", "peer") else ""), "KB"),
    ratio("embedded mode against server mode: CPU a message", "saturated", "cpu_us", AT_MOST, 0.7, "µs", one="embedded", other="chat"),
    ratio("delivery, 99 of 100, while 2 people a second log in, against without", "logins", "p99_ms", AT_MOST, 2.0, "ms",
          other="chat", other_what="paced"),
    ratio("connect storm, 1,000 people after a restart: CPU for each, against a storm of 100", "storm", "cpu_us", AT_MOST, 1.5, "µs",
          one="many", other="few"),
    Row("bytes that each receives in that storm", (("storm", "many"),), lambda m: m.median("storm", "many", "bytes"), AT_MOST,
        lambda m: 2048 + 16 * m.median("storm", "many", "online"),
        lambda m: f"2 KB and 16 for each of {m.median('storm', 'many', 'online'):,} online", "bytes"),
    ratio("presence: bytes when one person comes, at 1,000 online against 100, for each who is online", "storm", "bytes_for_one_more",
          AT_MOST, 1.0, "bytes", one="many", other="few"),
    Row("opening a conversation and paging back, 10,000,000 messages stored: 1,000,000 in it against 100", (("history", "chat"),),
        lambda m: m.median("history", "chat", "long_ms") / m.median("history", "chat", "short_ms"), AT_MOST, lambda m: 1.2,
        lambda m: f"{m.median('history', 'chat', 'long_ms'):.1f} ms to {m.median('history', 'chat', 'short_ms'):.1f}"),
    Row("home page: 100,000 people against 100", (("home", "chat"),),
        lambda m: m.median("home", "chat", "many_ms") / m.median("home", "chat", "few_ms"), AT_MOST, lambda m: 1.5,
        lambda m: f"{m.median('home', 'chat', 'many_ms'):.1f} ms to {m.median('home', 'chat', 'few_ms'):.1f}"),
    Row("search among 100,000 people against a page of history", (("search", "chat"),),
        lambda m: m.median("search", "chat", "search_ms") / m.median("search", "chat", "history_ms"), AT_MOST, lambda m: 5,
        lambda m: f"{m.median('search', 'chat', 'search_ms'):.1f} ms to {m.median('search', 'chat', 'history_ms'):.1f}"),
)


def of_restart(measured, figure):
    return measured.median("restart", "three processes", figure)


def restart_row(title, value, bar, unit, told):
    return Row(title, (("restart", "three processes"),), value, AT_MOST, lambda m: bar, told, unit)


CLUSTER = (
    ratio("CPU a message with four processes, HAProxy included, against one", "saturated", "cpu_us", AT_MOST, 1.3, "µs",
          one="four processes", other="one process"),
    ratio("the same at 200 messages/s, 500 people", "paced", "cpu_us", AT_MOST, 1.3, "µs", one="four processes", other="one process"),
    ratio("delivery at 200/s, 99 of 100: four processes against one", "paced", "p99_ms", AT_MOST, 2.0, "ms",
          one="four processes", other="one process"),
    restart_row("messages lost, doubled or out of order by a rolling restart of 3 processes, 200 a second, 500 people",
                lambda m: sum(of_restart(m, figure) for figure in ("lost", "doubled", "out_of_order")), 0, "",
                lambda m: f"{of_restart(m, 'messages'):,} messages, {of_restart(m, 'messages_s'):.0f} a second;"
                          f" the restart {of_restart(m, 'restart_s'):.1f} s"),
    restart_row("longest that anybody was without a connection meanwhile", lambda m: of_restart(m, "longest_break_s"), 5, "s",
                lambda m: f"{of_restart(m, 'breaks'):,} breaks"),
)


def page_row(title, figure, bar, unit=""):
    return Row(title, (("pages", "chat"),), lambda m: m.median("pages", "chat", figure), AT_MOST, lambda m: bar,
               lambda m: "the worst of login, home and conversation", unit)


def browser_row(title, figure, bar, unit, told):
    return Row(title, (("browser", "chat"),), lambda m: m.median("browser", "chat", figure), AT_MOST, lambda m: bar, lambda m: told, unit)


WEIGHT = (
    page_row("JavaScript, gzipped", "script_bytes", 35 * 1024, "bytes"),
    page_row("CSS, gzipped", "style_bytes", 10 * 1024, "bytes"),
    page_row("requests of a first view, the socket aside", "requests", 12),
    page_row("largest contentful paint, Lighthouse mobile", "lcp_ms", 1500, "ms"),
    page_row("total blocking time", "blocking_ms", 100, "ms"),
    page_row("layout shift", "shift", 0.02),
    browser_row("static bytes of a second view", "second_view_bytes", 0, "bytes", "home, then a conversation"),
    browser_row("interaction to next paint at a 4 times slower CPU", "interaction_ms", 100, "ms", "the slowest of writing, sending and choosing a person"),
    browser_row("Send to the other person's bubble, two browsers on this machine, median", "bubble_ms", 50, "ms", "from the key to the row on the page"),
)
