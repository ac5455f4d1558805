"""`make lab`: every experiment and every verdict anew, from the same seed; then the pages that show them."""

from __future__ import annotations

import sys
from pathlib import Path

from docs.make import write


def main() -> int:
    """Run everything, which takes minutes, write the results beside the code, and draw the pages anew."""
    from crowdalpha.cli.console import progress
    from crowdalpha.lab import results
    from crowdalpha.settings import open_executor

    with open_executor("processes") as executor, progress("Running experiments") as told:
        found = results.measure(executor=executor, told=lambda what, done, all: told(done, all, what))
    file = Path(results.__file__).with_name(results.FILE)
    file.write_text(found.as_json(), encoding="utf-8")
    results.shipped.cache_clear()
    names = write()
    print("\n".join([f"wrote {file.name}", *(f"wrote docs/{name}" for name in names)]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
