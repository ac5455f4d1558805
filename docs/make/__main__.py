"""`make docs`."""

from __future__ import annotations

import sys

from docs.make import stale, write


def main(arguments: list[str]) -> int:
    """Write the generated pages, or with --check only name those that are out of date."""
    if arguments == ["--check"]:
        names = stale()
        print("\n".join(f"docs/{name} is out of date: run make docs" for name in names) or "docs are up to date")
        return 1 if names else 0
    names = write()
    print("\n".join(f"wrote docs/{name}" for name in names) or "docs were up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
