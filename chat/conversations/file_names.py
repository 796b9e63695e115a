"""The names of files: what people's machines call them, made safe to show and to send in a header."""
import unicodedata
from urllib.parse import quote

MAX_NAME_LENGTH = 255       # code points
UNNAMED = "file"
DANGEROUS = set('"\\/:*?<>|')      # what some system has no file names with


def clean_name(name):
    """Return a name without folders, control characters and what changes the direction of writing; never empty, never a folder."""
    name = name.replace("\\", "/").rpartition("/")[2] if isinstance(name, str) else ""
    name = "".join(c for c in name if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp") or c in "\u200c\u200d").strip()
    name = name.lstrip(".").strip() if not name.strip(". ") else name
    if len(name) > MAX_NAME_LENGTH:     # its end says what it is
        stem, dot, ending = name.rpartition(".")
        ending = dot + ending if stem and len(ending) < 16 else ""
        name = name[:MAX_NAME_LENGTH - len(ending)] + ending
    return name or UNNAMED


def content_disposition(kind, name):
    """Return the header for `inline` or `attachment` with a name: RFC 6266, in ASCII for old clients and in UTF-8 for others."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = "".join("_" if c in DANGEROUS or c == "%" or c < " " or c == "\x7f" else c for c in plain).strip(" .") or UNNAMED
    header = f'{kind}; filename="{plain}"'
    return header if plain == name else f"{header}; filename*=UTF-8''{quote(name, safe='')}"
