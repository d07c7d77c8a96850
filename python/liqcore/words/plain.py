"""Words out of files, as a terminal may show them."""

MOST = 2000


def kind_of(value: object) -> str:
    """
    Return what a value of JSON is, in words.

    Examples
    --------
    >>> kind_of(None), kind_of([]), kind_of({}), kind_of("a"), kind_of(1.5), kind_of(True)
    ('null', 'a list', 'an object', 'text', 'a number', 'true or false')
    """
    if value is None or isinstance(value, bool):
        return "null" if value is None else "true or false"
    kinds = {list: "a list", tuple: "a list", dict: "an object", str: "text", int: "a number", float: "a number"}
    return kinds.get(type(value), type(value).__name__)


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
