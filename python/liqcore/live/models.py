"""Which models of a market are followed side by side, and with what settings each."""

from ..config.config import Config
from ..errors import InvalidConfigError

USUAL = "flow"
"""The model of a feed where none is named."""
_OF = {"exponent": ("presence",), "churn": ("blend",), "taker_tilt": ("oi", "blend"), "event_threshold": ("vendor",)}


def models_of(config: Config) -> dict[str, Config]:
    """
    Return the models that a configuration follows, by name, each with its own configuration; the first is the main one.

    Raises
    ------
    InvalidConfigError
        If the model that is configured is not the first of ``live.models``, or a profile was fitted for another.
    """
    main = config.model.name or USUAL
    names = (config.live.models or main).split(",")
    if config.model.name is not None and names[0] != main:
        raise InvalidConfigError(f'live.models must begin with model.name, which is "{main}", was "{",".join(names)}"')
    return {name: config if name == main and len(names) == 1 else _settled(config, name) for name in names}


def _settled(config: Config, name: str) -> Config:
    """Return the configuration of one of several models: what is said of another one is not for it."""
    default = Config().model
    others = {key: getattr(default, key) for key, of in _OF.items() if name not in of}
    return config.replace(model={**others, **({} if name == (config.model.name or USUAL) else {"name": name})})
