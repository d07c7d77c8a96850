"""Settings: one declaration each, one TOML file, one frozen object."""

from .config import Config
from .rules import TierTable
from .sections import (
    AxisConfig,
    InstrumentConfig,
    LeverageConfig,
    LimitsConfig,
    LogConfig,
    ModelConfig,
    RenderConfig,
    SourceConfig,
    WindowConfig,
)

__all__ = [
    "AxisConfig",
    "Config",
    "InstrumentConfig",
    "LeverageConfig",
    "LimitsConfig",
    "LogConfig",
    "ModelConfig",
    "RenderConfig",
    "SourceConfig",
    "TierTable",
    "WindowConfig",
]
