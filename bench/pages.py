"""The size and speed of pages: Lighthouse for the first view, Chromium for everything after it."""
import json
import os
import statistics
import subprocess
import tempfile

from playwright.sync_api import sync_playwright

from tools import ROOT, node, programs

LIGHTHOUSE = ROOT / "bench" / "node_modules" / "lighthouse" / "cli" / "index.js"
CHROMIUM_FLAGS = ("--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
                  " --disable-component-update --disable-sync")
SLOWER = 4                  # factor by which the CPU is slowed down while interactions are timed
BUBBLES = 20                # messages whose delivery to the other person's page is timed
BETWEEN_KEYS_MS = 60
LATER_MS = 1_900            # after the first script: what comes then is no part of the first view (chat/static/js/later.js)
WORDS = "What is typed letter by letter."

# From the event until the frame after it is processed. Chromium's own figure is useless without a screen: it then
# draws only when something else asks for it, seconds later.
NOTE_INTERACTIONS = """
window.slowest = 0;
for (const type of ['keydown', 'click']) {
  addEventListener(type, ({ timeStamp }) => {
    requestAnimationFrame(() => setTimeout(() => { slowest = Math.max(slowest, performance.now() - timeStamp); }));
  }, { capture: true });
}
"""
NOTE_BUBBLES = """() => {
  window.came = {};
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes) for (const row of addedNodes) {
      const text = row.querySelector?.('[data-part=text]')?.textContent;
      if (text) came[text] ??= performance.timeOrigin + performance.now();
    }
  }).observe(document.getElementById('history'), { childList: true });
}"""
STATIC_BYTES = """() => performance.getEntriesByType('resource')
  .filter((entry) => entry.name.includes('/static/')).reduce((bytes, entry) => bytes + entry.transferSize, 0)"""


def audit(subject):
    """Return the worst figures of login, home and conversation in Lighthouse's simulation of a phone."""
    me, other = two_who_talk(subject)
    found = [_lighthouse(f"{subject.url}{path}", cookie)
             for path, cookie in (("/login", None), ("/", me["cookie"]), (f"/chat/{other['username']}", me["cookie"]))]
    return {figure: max(page[figure] for page in found) for figure in found[0]}


def two_who_talk(subject, messages=60):
    from .seed_data import talk
    me, other = subject.people(2)
    if not subject.database.query("SELECT id FROM conversations WHERE id = 1"):
        talk(subject, 1, me["id"], other["id"], messages)
    return me, other


def _lighthouse(url, cookie):
    with tempfile.TemporaryDirectory() as directory:
        report = f"{directory}/report.json"
        command = [*node.node_command(), str(LIGHTHOUSE), url, "--output=json", f"--output-path={report}", "--quiet",
                   "--only-categories=performance", f"--chrome-flags={CHROMIUM_FLAGS}", "--disable-full-page-screenshot"]
        if cookie:
            command.append("--extra-headers=" + json.dumps({"Cookie": cookie}))
        subprocess.run(command, check=True, capture_output=True, timeout=120,
                       env={**os.environ, "CHROME_PATH": programs.CHROMIUM.path()})
        with open(report, encoding="utf-8") as file:
            audits = json.load(file)["audits"]
    requests = _first_view([one for one in audits["network-requests"]["details"]["items"]
                            if one["resourceType"] not in ("XHR", "Fetch", "WebSocket") and not one["url"].startswith("data:")])

    def size(kind):
        return sum(one["transferSize"] for one in requests if one["resourceType"] == kind)
    return {"lcp_ms": audits["largest-contentful-paint"]["numericValue"], "blocking_ms": audits["total-blocking-time"]["numericValue"],
            "shift": audits["cumulative-layout-shift"]["numericValue"], "requests": len(requests),
            "script_bytes": size("Script"), "style_bytes": size("Stylesheet")}


def _first_view(requests):
    """Return the requests of what the page consists of. What it loads later, while Lighthouse still watches, is not among them."""
    begun = min((one["networkEndTime"] for one in requests if one["resourceType"] == "Script"), default=float("inf"))
    return [one for one in requests if one["networkRequestTime"] < begun + LATER_MS]


def feel(subject):
    """Return the time of an interaction, the time until a message is on the other person's page, and the bytes of a second view."""
    me, other = two_who_talk(subject)
    with sync_playwright() as playwright:
        browsers = [playwright.chromium.launch(executable_path=programs.CHROMIUM.path()) for _n in range(2)]
        mine, theirs = (_open(browser, subject, person) for browser, person in zip(browsers, (me, other)))
        figures = {"second_view_bytes": _second_view(mine, other), "bubble_ms": _bubbles(mine, theirs, me, other)}
        figures["interaction_ms"] = _interactions(mine, other)
        for browser in browsers:
            browser.close()
    return figures


def _open(browser, subject, person):
    context = browser.new_context(base_url=subject.url)
    name, _equals, value = person["cookie"].partition("=")
    context.add_cookies([{"name": name, "value": value, "url": subject.url}])
    return context.new_page()


def _second_view(page, other):
    for path in ("/", f"/chat/{other['username']}", f"/chat/{other['username']}"):
        page.goto(path, wait_until="networkidle")
    return page.evaluate(STATIC_BYTES)


def _bubbles(mine, theirs, me, other):
    mine.goto(f"/chat/{other['username']}", wait_until="networkidle")
    theirs.goto(f"/chat/{me['username']}", wait_until="networkidle")
    theirs.evaluate(NOTE_BUBBLES)
    taken = []
    for n in range(BUBBLES):
        text = f"timed message {n}"
        mine.get_by_role("textbox", name="Message").fill(text)
        # Measured in the page, so that the time between this process and the browser is not included.
        mine.evaluate("""() => document.addEventListener('keydown',
          () => { window.pressedAt = performance.timeOrigin + performance.now(); }, { once: true, capture: true })""")
        mine.get_by_role("textbox", name="Message").press("Enter")
        came = theirs.wait_for_function("text => window.came[text]", arg=text).json_value()
        taken.append(came - mine.evaluate("window.pressedAt"))
    return statistics.median(taken)


def _interactions(page, other):
    page.add_init_script(NOTE_INTERACTIONS)
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    page.goto("/", wait_until="networkidle")
    page.get_by_role("link", name=other["username"]).first.click()
    page.get_by_role("heading", name="Chat with: ").wait_for()
    slowest = page.evaluate("window.slowest ?? 0")
    page.wait_for_load_state("networkidle")
    field = page.get_by_role("textbox", name="Message")
    for key in (*WORDS, "Enter"):
        field.press(key)
        page.wait_for_timeout(BETWEEN_KEYS_MS)
    return max(slowest, page.evaluate("window.slowest ?? 0"))
