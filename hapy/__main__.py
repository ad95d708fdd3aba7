"""`python -m hapy`."""

import sys

from hapy.cli import main

sys.argv[0] = "hapy"
sys.exit(main())
