"""What every test here gets."""

from leaks import leaves_nothing_behind, own_temporary_folder  # noqa: F401
