"""Tables for a terminal and in Markdown. Cells are texts; `right` contains the numbers of the columns to align right."""


def as_text(rows, right=()):
    """Return rows as lines with aligned columns."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "\n".join("  ".join(cell.rjust(width) if n in right else cell.ljust(width)
                               for n, (cell, width) in enumerate(zip(row, widths))).rstrip() for row in rows)


def as_markdown(head, rows, right=()):
    """Return a table with that head."""
    rule = ["---:" if n in right else "---" for n in range(len(head))]
    escaped = ([cell.replace("|", "\\|") for cell in row] for row in rows)
    return "".join(f"| {' | '.join(line)} |\n" for line in (head, rule, *escaped))
