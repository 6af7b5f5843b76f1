"""`python -m schild` is the command `schild`."""

import sys

from schild.cli import main

sys.exit(main())
