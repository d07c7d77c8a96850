"""A request that cannot be answered, and why: the one form that all of them are told in."""

import re

from ..errors import InvalidConfigError

_SAID = re.compile(r"(?P<argument>\w+) (?P<rule>must .*?)(?:, was |: )(?P<value>.*)\Z", re.DOTALL)
_NAMES = {"heatmaps": "market"}
"""Arguments of the library that requests call otherwise."""
MOST_SHOWN = 200
"""Characters of a value that are told back."""


class RefusedError(ValueError):
    """
    A request is refused.

    Parameters
    ----------
    status : int
        Of HTTP: 400 breaks a rule whatever is followed, 404 names what there is not, 409 breaks one that other
        arguments set, or what is followed as it is now.
    error : str
        What is wrong, in a sentence.
    argument, rule, value : str
        Which argument, what it must be, what it was; empty where none is at fault.
    after_s : int
        Seconds after which it may be tried again; 0: that is not told.
    """

    def __init__(
        self, status: int, error: str, argument: str = "", rule: str = "", value: str = "", after_s: int = 0
    ) -> None:
        super().__init__(error)
        self.status, self.error, self.after_s = status, error, after_s
        self.argument, self.rule, self.value = argument, rule, value[:MOST_SHOWN]

    @classmethod
    def broken(cls, argument: str, rule: str, value: object, status: int = 400) -> "RefusedError":
        """Return that an argument breaks a rule."""
        shown = str(value)
        shown = shown if len(shown) <= MOST_SHOWN else shown[:MOST_SHOWN] + "..."
        return cls(status, f"{argument} {rule}, was {shown or 'empty'}", argument, rule, shown)

    @classmethod
    def of(cls, error: InvalidConfigError, status: int = 409) -> "RefusedError":
        """Return what a rule of the library says, whose messages name the argument, the rule and the value."""
        said = _SAID.match(str(error))
        if said is None:
            return cls(status, str(error))
        argument = _NAMES.get(said["argument"], said["argument"])
        return cls(status, str(error), argument, said["rule"], said["value"])
