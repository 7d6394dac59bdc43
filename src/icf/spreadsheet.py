"""Cells that a spreadsheet shows and never runs."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def harmless(cell: str) -> str:
    """Keep a spreadsheet from running a cell as a formula.

    >>> harmless("=1+1"), harmless("CC0")
    ("'=1+1", 'CC0')
    """
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
