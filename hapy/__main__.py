"""`python -m hapy`."""

import sys

from hapy.cli import main

sys.exit(main())
