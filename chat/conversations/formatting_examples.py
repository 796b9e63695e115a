"""What the page of the keys shows of formatting, in the reader's language."""
from flask_babel import gettext as _

from .formatting import tree_of


def examples():
    """Return (what one writes, its tree) for each kind of formatting. The words are not inside the f-strings: there the extractor finds none."""
    bold, italic, struck, code, quote, link = _("bold"), _("italic"), _("struck"), _("code"), _("a quote"), _("a link")
    list_of, two, block = _("a list"), _("of two"), _("a block of code")
    first, second = _("one"), _("two")
    texts = (
        f"**{bold}**", f"*{italic}*", f"~~{struck}~~", f"`{code}`", f"> {quote}", f"- {list_of}\n- {two}", f"1. {first}\n2. {second}",
        f"[{link}](https://example.org/)", f"```python\nprint(\"{block}\")\n```")
    return [(text, tree_of(text)) for text in texts]
