"""The browser assets: builds chat/static/build/ from the sources, npm's packages and the catalogues."""

import gzip
import json
import os
import shutil
import time

from tools import ROOT, environment, node
from tools.console import SetupError, StepFailed, step
from tools.stamp import Stamp, digest

STATIC = ROOT / "chat" / "static"
BUILD = STATIC / "build"
TRANSLATIONS = ROOT / "chat" / "translations"
STAMP = Stamp(BUILD / ".stamp")
PLACING_TRIES = 20          # on Windows a file cannot be renamed while somebody loads it
PLACING_REST = 0.1          # seconds
BUNDLE = ROOT / "tools" / "bundle.mjs"
EMOJI = ROOT / "tools" / "emoji.mjs"
SHEETS = ("app.css", "files.css", "formatted.css", "later.css")     # of every page; of files, of texts that are not plain, of what a first view does not show


def ensure():
    """Build, unless the assets were built from exactly these inputs."""
    current = inputs_digest()
    if STAMP.read().get("inputs") != current or not _compiled_catalogs_exist():
        _require_inputs()
        node.ensure_packages()
        _build(current)


def inputs_digest():
    """Return a digest of the inputs. Tailwind reads the templates and scripts for the classes that they use."""
    sources = [STATIC / "css", STATIC / "js", ROOT / "chat" / "templates"]
    files = [path for source in sources for path in source.rglob("*") if path.is_file()]
    files += [*catalogs(), ROOT / "package.json", ROOT / "package-lock.json", *(ROOT / "tools").glob("*.*")]
    return digest(*(part for path in sorted(files) for part in (path.relative_to(ROOT).as_posix(), path)))


def catalogs():
    """Return the message catalogues, one for each language."""
    return sorted(TRANSLATIONS.glob("*/LC_MESSAGES/messages.po"))


def _compiled_catalogs_exist():
    return all(path.with_suffix(".mo").exists() for path in catalogs())


def _build(current):
    """Build everything in a new directory, then replace the old one: an incomplete build is never served."""
    new = BUILD.with_name("build.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    _copy_icons(new)
    try:
        for sheet in SHEETS:
            step(f"Building the style sheet {sheet}", _tailwind_command(new, sheet))
        step("Bundling the scripts", [*node.node_command(), str(BUNDLE), str(STATIC / "js"), str(new / "js")])
        step("Collecting the emoji", [*node.node_command(), str(EMOJI), str(new)])
        step("Compiling the catalogues", [str(environment.python()), "-m", "tools.catalogs", "compile", str(new)])
    except StepFailed as failure:
        raise SetupError(f"The browser assets could not be built: {failure.reason} (all of it: .setup.log)") from None
    _compress(new)
    Stamp(new / STAMP.path.name).write({"inputs": current})
    _put_in_place(new)


def _put_in_place(new):
    """Exchange the directories by renaming. If Windows refuses, because a server has a file open, the old one stays complete."""
    older = BUILD.with_name("build.old")
    for last_try in (False,) * (PLACING_TRIES - 1) + (True,):
        shutil.rmtree(older, ignore_errors=True)
        try:
            if BUILD.exists():
                os.replace(BUILD, older)
            os.replace(new, BUILD)
            break
        except PermissionError:
            if older.exists() and not BUILD.exists():
                os.replace(older, BUILD)
            if last_try:
                raise SetupError("The browser assets are in use: end the chat that runs, and start again.") from None
            time.sleep(PLACING_REST)
    shutil.rmtree(older, ignore_errors=True)


def _require_inputs():
    missing = [f"chat/static/{name}" for name in ("css/app.css", "js/app.js") if not (STATIC / name).exists()]
    if not catalogs():
        missing.append("chat/translations/*/LC_MESSAGES/messages.po")
    if missing:
        raise SetupError(f"The browser assets cannot be built without {', '.join(missing)}.")


def _tailwind_command(new, sheet):
    tailwind = ROOT / "node_modules" / "@tailwindcss" / "cli" / "dist" / "index.mjs"
    source, result = STATIC / "css" / sheet, new / sheet
    return [*node.node_command(), str(tailwind), "--input", str(source), "--output", str(result), "--minify"]


def _copy_icons(new):
    """Copy the icons that package.json names."""
    (new / "icons").mkdir()
    for name in wanted_icons():
        icon = ROOT / "node_modules" / "lucide-static" / "icons" / f"{name}.svg"
        if not icon.exists():
            raise SetupError(f"package.json asks for the icon {name}, which lucide-static does not have.")
        shutil.copyfile(icon, new / "icons" / icon.name)


def wanted_icons():
    """Return the names of the Lucide icons that the pages use."""
    return json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["config"]["icons"]


def _compress(new):
    """Write a .gz file for each style sheet, script and list of emoji, so that no request has to compress it."""
    for path in [*new.rglob("*.css"), *new.rglob("*.js"), *new.glob("emoji-*.json")]:
        # Without a time stamp the same source always gives the same bytes.
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))
