"""What holds for every test of the Python package."""

import pytest
from hypothesis import settings

from leaks import leaves_nothing_behind, own_temporary_folder  # noqa: F401

# The numbers of examples are those that the tests name.
# No test fails because a machine is busy: there is no deadline.
settings.register_profile("ordinary", deadline=None, derandomize=True)
settings.register_profile("soak", deadline=None, derandomize=False, print_blob=True)


def pytest_configure(config: pytest.Config) -> None:
    """
    Draw the same examples each time, so that what passes once passes again.

    `make soak` asks for others, from another seed each time.
    """
    if config.getoption("--hypothesis-profile") is None:
        settings.load_profile("ordinary")
