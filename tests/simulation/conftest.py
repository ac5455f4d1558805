"""Lets the tests of this folder import its histories by name."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
