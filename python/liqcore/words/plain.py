"""Words out of files, as a terminal may show them."""

MOST = 2000


def plain(text: str, most: int = MOST) -> str:
    """
    Return text on one line, with what a terminal would obey or not show written out, cut to a length.

    Examples
    --------
    >>> plain("BTC\\x1b[2J\\nUSDT \\u202e gnp.exe"), plain("x" * 100, most=10)
    ('BTC\\\\x1b[2J USDT \\\\u202e gnp.exe', 'xxxxxxx...')
    """
    words = " ".join(text.split())
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in words)
    return shown if len(shown) <= most else shown[: most - 3] + "..."
