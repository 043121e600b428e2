"""``python -m analysis RUN PICTURE``: the overview of a run as a picture."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from analysis import load, pictures


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the picture; what is wrong with the arguments is said, and the exit code is 2."""
    parser = argparse.ArgumentParser(prog="python -m analysis", description=__doc__)
    parser.add_argument("run", help="its directory, its name under runs/, or `latest`")
    parser.add_argument("picture", help="the file to write, such as overview.png")
    given = parser.parse_args(arguments)
    try:
        pictures.save(pictures.overview(load(given.run)), given.picture)
    except (ValueError, OSError) as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
