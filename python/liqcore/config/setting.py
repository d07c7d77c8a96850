"""What a setting is, and what is common to the sections that settings stand in."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import InvalidConfigError
from .rules import BreachError, Rule, show


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What is declared of a setting; see `setting`."""

    section: str = ""
    name: str = ""
    default: Any
    rule: Rule
    doc: str
    unset: str
    example: str
    argument: str
    flag: str
    commands: tuple[str, ...]
    help: str
    late: bool
    found: bool
    private: bool

    @property
    def key(self) -> str:
        """Section and key, such as ``"window.length"``."""
        return f"{self.section}.{self.name}"

    @property
    def variable(self) -> str:
        """The environment variable, such as ``"LIQCORE_WINDOW_LENGTH"``."""
        return f"LIQCORE_{self.section}_{self.name}".upper()

    def accept(self, value: Any, where: str = "") -> Any:
        """Return a value made canonical; `where` begins the error's message."""
        if value is None and self.default is None:
            return None
        try:
            return self.rule.accept(value)
        except BreachError as error:
            shown = error.shown or show(value)
            raise InvalidConfigError(f"{where}{self.key} must be {error.rule}, was {shown}") from None

    def parse(self, text: str, where: str) -> Any:
        """Return the value that a variable's or a flag's text means; `where` begins the error's message."""
        try:
            return self.rule.parse(text)
        except (ValueError, KeyError):
            raise InvalidConfigError(f"{where}: {self.key} must be {self.rule.text}, was {show(text)}") from None


def setting(
    default: Any,
    rule: Rule,
    doc: str,
    *,
    unset: str = "",
    example: str = "",
    argument: str = "",
    flag: str = "",
    commands: tuple[str, ...] = (),
    help: str = "",
    late: bool = False,
    found: bool = False,
    private: bool = False,
) -> Any:
    """
    Declare a setting; its type stands before it.

    Parameters
    ----------
    default
        None where it is left to the data, or to what `unset` says.
    rule : Rule
        What a value must be.
    doc : str
        Its meaning and unit, one sentence or two.
    unset, example : str
        Of a setting whose default is None: what None means, and a value as a file has it.
    argument : str, optional
        The argument of `heatmap`, `features` and `Engine` that goes before it.
    flag : str, optional
        The option that goes before it.
    commands : tuple of str, optional
        The commands that have this option.
    help : str, optional
        What their help says instead of `doc` and the example.
    late : bool, optional
        Whether it came after 0.1.0: `Config.to_dict` then leaves it out where it has its default, so that the hashes of
        saved configurations stay.
    found : bool, optional
        Whether a run finds it out where it is not given, so that a written file leaves its default commented out.
    private : bool, optional
        Whether it may hold a secret or a path of this machine, and says nothing of results: `Config.to_dict` leaves it
        out, so that no saved result has it.
    """
    optional = default is None
    assert optional == bool(unset) == bool(example), "an optional key says what its absence means and shows a value"
    assert flag or not commands, "a command shows a setting as a flag"
    declared = Setting(
        default=default,
        rule=rule,
        doc=doc,
        unset=unset,
        example=example,
        argument=argument,
        flag=flag,
        commands=commands,
        help=help,
        late=late,
        found=found,
        private=private,
    )
    return field(default=default, metadata={"setting": declared})


class Section:
    """Common to all sections: every field is checked against its rule and made canonical on construction."""

    __slots__ = ()

    def __post_init__(self) -> None:
        values = {name: entry.accept(getattr(self, name)) for name, entry in settings_of(type(self)).items()}
        for name, value in values.items():
            object.__setattr__(self, name, value)
        conflict = self._conflict(values)
        if conflict is not None:
            raise InvalidConfigError(conflict[1])

    @staticmethod
    def _conflict(values: Mapping[str, Any]) -> tuple[tuple[str, ...], str] | None:
        """Return which keys break a rule that binds several of them, and the error's message; None if all is well."""
        del values
        return None


_DECLARED: dict[Any, dict[str, Setting]] = {}


def settings_of(kind: Any) -> dict[str, Setting]:
    """Return the settings of a section, a class, by key; those of ``WindowConfig`` stand in ``window``."""
    if kind not in _DECLARED:
        section = kind.__name__.removesuffix("Config").lower()
        _DECLARED[kind] = {
            entry.name: dataclasses.replace(entry.metadata["setting"], section=section, name=entry.name)
            for entry in dataclasses.fields(kind)
        }
    return _DECLARED[kind]
