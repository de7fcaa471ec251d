"""What all tests share."""

import os
import tempfile
from pathlib import Path

# Compiled code is kept between test runs and shared by all that train: compiling takes seconds each time.
os.environ.setdefault("NUMBA_CACHE_DIR", str(Path(tempfile.gettempdir()) / f"juniper-tests-numba-{os.getuid()}"))

# No setting of whoever runs the tests reaches a service; those that stay ask something of the tests themselves.
for name in os.environ.keys() - {"JUNIPER_SCREENSHOTS", "JUNIPER_SOAK_MINUTES"}:
    if name.startswith("JUNIPER_"):
        del os.environ[name]

# scipy reads it when it is first imported; without it scikit-learn skips one of its checks of estimators.
os.environ.setdefault("SCIPY_ARRAY_API", "1")
