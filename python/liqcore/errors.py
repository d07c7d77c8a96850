"""The exceptions that liqcore raises on purpose."""


class LiqcoreError(Exception):
    """Root of every error that liqcore raises on purpose."""


class InvalidConfigError(LiqcoreError, ValueError):
    """A setting that can never work; the message names the argument, the rule and the value."""


class DataError(LiqcoreError, ValueError):
    """An input file that cannot be used; the message names the file, what was expected and what was found."""
