"""`python -m juniper_ctl`."""

import sys

from juniper_ctl.main import main

sys.exit(main())
