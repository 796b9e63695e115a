"""What the page of the keys shows of formatting, in the reader's language."""
from flask_babel import gettext as _

from .formatting import tree_of


def examples():
    """Return (what one writes, its tree) for each kind of formatting."""
    texts = (
        f"**{_('bold')}**", f"*{_('italic')}*", f"~~{_('struck')}~~", f"`{_('code')}`", f"> {_('a quote')}", f"- {_('a list')}\n- {_('of two')}",
        f"1. {_('one')}\n2. {_('two')}", f"[{_('a link')}](https://example.org/)", f"```python\nprint(\"{_('a block of code')}\")\n```")
    return [(text, tree_of(text)) for text in texts]
