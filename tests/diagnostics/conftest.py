"""Lets the tests of this folder import its synthetic crowd and its page reader by name."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
