"""The plots of docs/performance.md, as SVG."""
import pygal
from pygal.style import CleanStyle

from tools import ROOT

DIRECTORY = ROOT / "docs" / "performance"
PICTURES = (("cpu", "CPU per stored and delivered message"), ("delivery", "From send to delivery"),
            ("profile", "Where the time goes"))
WHO = (("chat", "chat"), ("peer", "peer"), ("baseline", "baseline"), ("embedded", "chat, embedded"))
PARTS = ("server", "database", "Redis")
STYLE = CleanStyle(background="#ffffff", plot_background="#ffffff", colors=("#2563eb", "#94a3b8", "#16a34a", "#f59e0b"),
                   font_family="system-ui, sans-serif", label_font_size=13, major_label_font_size=13, legend_font_size=13,
                   title_font_size=16, value_font_size=12)
COMMON = {"style": STYLE, "js": (), "width": 860, "height": 300, "print_values": True, "pretty_print": True,
          "disable_xml_declaration": True, "legend_at_bottom": True}


def draw(results):
    """Draw the plots of what was measured; the others stay as they are."""
    DIRECTORY.mkdir(exist_ok=True)
    titles = dict(PICTURES)
    if results.has("saturated", *(who for who, _name in WHO)):
        _save("cpu", _cpu(results, titles["cpu"]))
    if results.has("paced", "chat", "peer"):
        _save("delivery", _delivery(results, titles["delivery"]))
    if results.has("profile", "chat"):
        _save("profile", _profile(results, titles["profile"]))


def _save(name, chart):
    chart.render_to_file(str(DIRECTORY / f"{name}.svg"))


def _cpu(results, title):
    chart = pygal.HorizontalStackedBar(title=f"{title}, µs", **COMMON,
                                       value_formatter=lambda value: f"{value:.0f}" if value >= 10 else "")
    chart.x_labels = [name for _who, name in WHO]
    for part in PARTS:
        chart.add(part, [results.part("saturated", who, part) for who, _name in WHO])
    return chart


def _delivery(results, title):
    chart = pygal.HorizontalBar(title=f"{title}, ms: 200 messages per second, 500 people", **COMMON,
                                value_formatter=lambda value: f"{value:.1f}")
    chart.x_labels = ["chat", "peer"]
    for figure, name in (("p50_ms", "median"), ("p99_ms", "99th percentile")):
        chart.add(name, [results.median("paced", who, figure) for who in ("chat", "peer")])
    return chart


def _profile(results, title):
    shares = results.rounds["profile chat"][-1]
    chart = pygal.HorizontalBar(title=f"{title}: the server at saturation, %", show_legend=False,
                                value_formatter=lambda value: f"{value:.0f}", **{**COMMON, "height": 420})
    chart.x_labels = list(shares)
    chart.add("", list(shares.values()))
    return chart
