"""The advisories of PyPI and npm for the pinned versions. A version that was not checked never counts as safe."""

import re
from typing import NamedTuple

from tools.package_index import Unreachable, fetch_json, normalize
from tools.pins import Pin

# Old versions with a known advisory: an index that reports none for them reports none at all.
KNOWN_PYTHON = Pin("Jinja2", "2.11.2")  # PYSEC-2021-66
KNOWN_NPM = ("minimist", "0.0.8")       # GHSA-vh95-rmgr-6w4m
COMPARATOR = re.compile(r"(<=|>=|<|>|=)?v?(\d+(?:\.\d+){0,2})(?:-([\w.-]+))?(?:\+\S*)?$")


class Advisory(NamedTuple):
    """A known vulnerability of a pinned version; `aliases` are other ids of the same advisory."""

    id: str
    package: str
    version: str
    fixed: str
    summary: str
    aliases: tuple = ()

    def __str__(self):
        names = " = ".join([self.id, *self.aliases])
        fixed = f"fixed in {self.fixed}" if self.fixed else "no version is known that fixes it"
        return f"{self.package} {self.version}: {names}, {fixed}. {self.summary}"


def of_pin(index, pin):
    """Return the advisories for a pin. Raises Unreachable unless the index says in full that it has checked this version."""
    answer = index.release_or_newest(pin.name, pin.version)
    info, listed = (answer.get(name) if isinstance(answer, dict) else None for name in ("info", "vulnerabilities"))
    if not isinstance(info, dict) or normalize(str(info.get("name"))) != normalize(pin.name):
        raise Unreachable("the index answers about another package")
    if info.get("version") != pin.version:
        raise Unreachable(f"the index answers for version {info.get('version')} only")
    if not isinstance(listed, list):
        raise Unreachable("the index answers without a list of advisories")
    return [_of_pypi(pin, each) for each in listed if not (isinstance(each, dict) and each.get("withdrawn"))]


def _of_pypi(pin, each):
    try:
        names, fixed = [each["id"], *(each.get("aliases") or [])], ", ".join(each.get("fixed_in") or [])
        summary = _one_line(each.get("summary") or each.get("details") or each.get("link") or "")
        return Advisory(_text(names[0]), pin.name, pin.version, fixed, summary, tuple(map(_text, names[1:])))
    except (KeyError, TypeError, AttributeError):
        raise Unreachable("the index describes an advisory in an unknown way") from None


def of_npm(registry, packages, certificates=None):
    """Return the advisories for {name: versions}. npm omits packages without any, so one that has an advisory is requested too."""
    name, version = KNOWN_NPM
    asked = {**packages, name: {*packages.get(name, ()), version}}
    body = {each: sorted(versions) for each, versions in sorted(asked.items())}
    answer = fetch_json(f"{registry.rstrip('/')}/-/npm/v1/security/advisories/bulk", certificates, body=body)
    found = _of_bulk(answer, asked)
    if not any((each.package, each.version) == KNOWN_NPM for each in found):
        raise Unreachable(f"the registry knows of no advisory for {name} {version}, which has one")
    return [each for each in found if each.version in packages.get(each.package, ())]


def _of_bulk(answer, asked):
    try:
        return [_of_github(name, version, each) for name, listed in answer.items() for each in listed
                for version in sorted(asked.get(name, ())) if affects(each["vulnerable_versions"], version)]
    except (KeyError, TypeError, AttributeError):
        raise Unreachable("the registry describes its advisories in an unknown way") from None


def _of_github(name, version, each):
    number = re.search(r"GHSA(-\w{4}){3}", str(each.get("url")))
    bounds = [bound for part in each["vulnerable_versions"].split("||") if affects(part, version)
              for bound in re.findall(r"<\s*([\w.+-]+)", part)]
    return Advisory(number[0] if number else f"npm {each['id']}", name, version, ", ".join(bounds), _one_line(_text(each["title"])))


def affects(ranges, version):
    """Tell whether a version is in an npm range such as `>=1.0.0 <1.2.3 || 2.0.0`. An unreadable range counts as affected."""
    tight = re.sub(r"([<>=])\s+", r"\1", ranges)
    return any(all(_holds(comparator, version) for comparator in part.split()) for part in tight.split("||"))


def _holds(comparator, version):
    bound, own = COMPARATOR.match(comparator), COMPARATOR.match(version)
    if not bound or not own:
        return True
    order = _order(own) > _order(bound), _order(own) == _order(bound)
    return {"<": not any(order), "<=": not order[0], ">": order[0], ">=": any(order)}.get(bound[1], order[1])


def _order(match):
    """Return a sort key for a version: a pre-release comes before its release, numbers before words (semver.org, 11)."""
    numbers = [int(number) for number in match[2].split(".")]
    words = [(not each.isdigit(), int(each) if each.isdigit() else 0, each) for each in (match[3] or "").split(".") if each]
    return numbers + [0] * (3 - len(numbers)), not words, words


def _text(value):
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _one_line(text, longest=160):
    """Make text from outside printable: one short line without control characters."""
    plain = "".join(letter if letter.isprintable() else " " for letter in _text(text))
    plain = " ".join(plain.split())
    return plain if len(plain) <= longest else plain[:longest - 1] + "…"
