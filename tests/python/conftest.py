"""What holds for every test of the Python package."""

from hypothesis import settings

from leaks import leaves_nothing_behind, own_temporary_folder  # noqa: F401

# `make soak` runs the property tests again and again, from another seed each time; an ordinary run may have a profile
# that always draws the same examples. The numbers of examples are those that the tests name.
settings.register_profile("soak", deadline=None, derandomize=False, print_blob=True)
