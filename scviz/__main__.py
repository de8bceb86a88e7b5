"""`python -m scviz`."""

import sys

from scviz.cli import main

if __name__ == "__main__":
    sys.exit(main())
