"""Runs a service as if it were of another build: ``python -m tests.chaos.other_build MODULE``."""

import runpy
import sys

from interlock.wire import build

OTHER = "0.0.0+deadbeef"

if __name__ == "__main__":
    # Before the service is imported: it takes the function's name from there.
    build.build_of = lambda: OTHER
    runpy.run_module(sys.argv[1], run_name="__main__", alter_sys=True)
