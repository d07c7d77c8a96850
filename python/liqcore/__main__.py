"""``python -m liqcore`` is the command line."""

import sys

from liqcore.cli import main

if __name__ == "__main__":
    sys.exit(main())
