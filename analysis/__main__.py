"""``python -m analysis RUN FILE``: a picture of a run, its overview unless another is named."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from analysis import load, pictures


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the picture; what is wrong with the arguments is said, and the exit code is 2."""
    parser = argparse.ArgumentParser(prog="python -m analysis", description=__doc__)
    parser.add_argument("run", help="its directory, its name under runs/, or `latest`")
    parser.add_argument("file", help="the file to write, such as overview.png or tree.pdf")
    parser.add_argument(
        "--picture",
        default="overview",
        metavar="NAME",
        help=f"which one: {', '.join(pictures.NAMES)}; overview if left out",
    )
    parser.add_argument("--arm", help="of this arm alone")
    parser.add_argument("--seed", type=int, help="of this seed alone")
    given = parser.parse_args(arguments)
    try:
        run = load(given.run)
        if given.arm is not None or given.seed is not None:
            run = run.of(given.arm, given.seed)
        pictures.save(pictures.picture(run, given.picture), given.file)
    except (ValueError, OSError) as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
