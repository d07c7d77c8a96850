"""What venues wrap around the rows of an answer: one table of what says that it went well."""

from typing import Any, NamedTuple


class Success(NamedTuple):
    """A field of an envelope, what it holds where the answer went well, and whose answer that is (empty: several)."""

    field: str
    values: tuple[str, ...]
    venue: str = ""


# The first entry whose field and value an answer has names the venue; an answer with a field and no value of any entry
# with that field is a refusal.
SUCCESS = (
    Success("retCode", ("0",), "bybit"),
    Success("code", ("200000",), "kucoin"),
    Success("code", ("00000",), "bitget"),
    Success("code", ("1000",), "bitmart"),
    Success("code", ("0", "200"), "okx"),
    Success("status", ("ok",), "htx"),
    Success("status", ("success", "0000")),
    Success("success", ("true",)),
    Success("rc", ("0",), "xt"),
    Success("error_code", ("0",), "lbank"),
    Success("s", ("ok",)),
)
# What holds the rows, the outermost first.
_ROWS = ("result", "data", "rows", "list", "candles", "trades", "fills", "events", "items", "tick", "ticks")
_SAID = ("retMsg", "msg", "err-msg", "message", "error_message", "mc", "error")


def refusal(answer: dict[str, Any]) -> str:
    """Say why a venue refused, if this is no answer with rows; an empty string: it is none, or no envelope at all."""
    if not is_envelope(answer):
        code = answer.get("code")
        if len(answer) == 1 and answer.get("error"):
            return f"error {answer['error']}"
        return f"{code} {answer['msg']}" if isinstance(code, str) and "msg" in answer and len(answer) == 2 else ""
    for name in dict.fromkeys(entry.field for entry in SUCCESS):
        if name in answer and isinstance(answer[name], str | bool):
            said = str(answer[name]).lower()
            if not any(said in entry.values for entry in SUCCESS if entry.field == name):
                return f"{answer[name]} {_message(answer)}".rstrip()
    error = answer.get("error")
    if error not in (None, [], "", {}):
        return f"error {error}"
    return ""


def venue_of(answer: dict[str, Any]) -> str:
    """Tell the venue by its envelope; an empty string: it does not say."""
    for name, values, venue in SUCCESS:
        if venue and str(answer.get(name)) in values and (name != "status" or "ch" in answer or "ts" in answer):
            return venue
    return ""


def is_envelope(answer: dict[str, Any]) -> bool:
    """Whether an object holds rows rather than being one."""
    if any(name in answer for name in ("retCode", "rc", "error_code")):
        return True
    if "data" in answer and any(name in answer for name in ("code", "status", "success")):
        return True
    if "result" in answer and (isinstance(answer["result"], list | dict) or "success" in answer or "error" in answer):
        return True
    if "status" in answer and "tick" in answer:
        return True
    if isinstance(answer.get("events"), list) or ("channel" in answer and isinstance(answer.get("data"), dict)):
        return True
    return _container(answer) is not None or _columns(answer) is not None


def unwrap(answer: dict[str, Any]) -> tuple[list[Any], list[dict[str, Any]]]:
    """Return the rows in an envelope, and the objects that were passed on the way to them, the outermost first."""
    passed: list[dict[str, Any]] = []
    inner: Any = answer
    while isinstance(inner, dict):
        if passed and not _wraps(inner):
            return [inner], passed
        passed.append(inner)
        columns = _columns(inner)
        if columns is not None:
            return columns, passed
        name = _container(inner) or next((name for name in _ROWS if name in inner), None)
        inner = None if name is None else inner[name]
        if name is not None and name not in _ROWS:
            passed.append({"symbol": name})  # Kraken files the rows under the symbol
    return inner if isinstance(inner, list) else [], passed


def _wraps(answer: dict[str, Any]) -> bool:
    return _container(answer) is not None or _columns(answer) is not None or any(
        isinstance(answer.get(name), list | dict) for name in _ROWS
    )  # fmt: skip


def _container(answer: dict[str, Any]) -> str | None:
    """The name of the only list of rows in an object."""
    names = [
        name
        for name, value in answer.items()
        if isinstance(value, list) and value and all(isinstance(item, dict | list) for item in value)
    ]
    return names[0] if len(names) == 1 else None


def _columns(answer: dict[str, Any]) -> list[Any] | None:
    """Rows of an object that holds columns: lists of one length."""
    lists = {name: value for name, value in answer.items() if isinstance(value, list) and len(value) > 1}
    if len(lists) < 4 or len({len(value) for value in lists.values()}) > 1:
        return None
    if any(isinstance(item, dict | list) for value in lists.values() for item in value[:1]):
        return None
    return [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]


def _message(answer: dict[str, Any]) -> str:
    return str(next((answer[name] for name in _SAID if answer.get(name)), ""))
