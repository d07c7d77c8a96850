"""``python -m liqcore`` is the command line; with ``--cmakedir`` and the like it says where the C++ library lies."""

import sys

from .cli import main
from .native import sdk

if __name__ == "__main__":
    arguments = sys.argv[1:]
    if arguments and all(argument in sdk.FLAGS for argument in arguments):  # needs no packages of the command line
        print(*(sdk.FLAGS[argument]() for argument in arguments), sep="\n")
    else:
        sys.exit(main())
