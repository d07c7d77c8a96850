"""Settings: one declaration each, one TOML file, one frozen object."""

from .config import Config
from .rules import TierTable
from .sections import (
    AxisConfig,
    InstrumentConfig,
    JournalConfig,
    LeverageConfig,
    LiveConfig,
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
    "JournalConfig",
    "LeverageConfig",
    "LiveConfig",
    "LogConfig",
    "ModelConfig",
    "RenderConfig",
    "SourceConfig",
    "TierTable",
    "WindowConfig",
]
