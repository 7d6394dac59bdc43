"""Serve the demo site by hand: ``python -m icf.app.demo.site --port 8931``."""

import argparse
import sys

from icf.app.demo.site.server import serve
from icf.errors import IcfError


def main() -> int:
    """Serve until interrupted; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8931, help="0 takes any free one")
    try:
        serve(parser.parse_args().port)
    except IcfError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
