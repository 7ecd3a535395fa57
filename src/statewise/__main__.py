"""`python -m statewise` is `statewise`."""

import sys

from statewise.cli.main import main

sys.exit(main())
