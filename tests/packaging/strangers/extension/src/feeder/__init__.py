"""A stranger's extension: its own loop in C++ around an engine made in Python."""

from ._native import feed, opened_lots, wrong_setting

__all__ = ["feed", "opened_lots", "wrong_setting"]
