"""Settings: one declaration each, one TOML file, one frozen object."""

from .config import Config
from .machine_sections import AlertsConfig, JournalConfig, LimitsConfig, LiveConfig, LogConfig, ServerConfig
from .rules import TierTable
from .sections import (
    AxisConfig,
    InstrumentConfig,
    LeverageConfig,
    ModelConfig,
    RenderConfig,
    SourceConfig,
    WindowConfig,
)

__all__ = [
    "AlertsConfig",
    "AxisConfig",
    "Config",
    "InstrumentConfig",
    "JournalConfig",
    "LeverageConfig",
    "LimitsConfig",
    "LiveConfig",
    "LogConfig",
    "ModelConfig",
    "RenderConfig",
    "ServerConfig",
    "SourceConfig",
    "TierTable",
    "WindowConfig",
]
