"""`make chaos`: does to the desk what production will, and counts what it did to it.

Each fault runs in a process of its own with a limit, so that one that hangs costs itself and
nothing else. Exit code 1 where a fault does not hold; the counts are written to `chaos.json`.
"""

import argparse
import logging
import os
import signal
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from types import ModuleType

import msgspec

from tests.chaos.report import Line, Outcome, line_of, print_line

RESULT = Path("chaos.json")
SEED = 7


def modules() -> dict[str, str]:
    """Return the module of each fault by its id, in the order of the fault matrix."""
    found = {path.stem.partition("_")[0].upper(): path.stem for path in _files()}
    return {name: f"tests.chaos.{found[name]}" for name in sorted(found, key=lambda f: int(f[1:]))}


def _files() -> list[Path]:
    return [path for path in Path(__file__).parent.glob("f*_*.py") if path.stem[1].isdigit()]


def main() -> int:
    known = modules()
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="Run faults.")
    parser.add_argument("faults", nargs="*", metavar="F2", help=f"of {', '.join(known)}")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--trials", type=int, help="instead of each fault's own number")
    parser.add_argument("--json", action="store_true", help="print chaos.json as well")
    parser.add_argument("--alone", metavar="FILE", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    wanted = [name.upper() for name in asked.faults] or list(known)
    if unknown := sorted(set(wanted) - known.keys()):
        parser.error(f"no fault is called {unknown[0]}: known are {', '.join(known)}")
    if asked.alone:
        return _alone(known[wanted[0]], asked.seed, asked.trials, Path(asked.alone))
    lines = [_bounded(name, known[name], asked.seed, asked.trials) for name in wanted]
    document = msgspec.json.format(msgspec.json.encode(lines), indent=2) + b"\n"
    RESULT.write_bytes(document)
    if asked.json:
        sys.stdout.write(document.decode())
    return int(not all(line.holds for line in lines))


def _alone(module: str, seed: int, trials: int | None, target: Path) -> int:
    # What our own ends of the links complain of is what the fault does to them.
    logging.getLogger("interlock").setLevel(logging.ERROR)
    fault = import_module(module)
    outcome: Outcome = fault.run(seed, trials or fault.FULL)
    target.write_bytes(msgspec.json.encode(outcome))
    return 0


def _bounded(name: str, module: str, seed: int, trials: int | None) -> Line:
    """Run one fault in a session of its own and end all of it when its time is up."""
    fault = import_module(module)
    target = Path(f".chaos-{os.getpid()}-{name}.json")
    command = [sys.executable, "-m", "tests.chaos", name, "--seed", str(seed)]
    command += ["--alone", str(target)]
    command += ["--trials", str(trials)] if trials else []
    began = time.monotonic()
    process = subprocess.Popen(command, start_new_session=True)
    failure = ""
    try:
        if code := process.wait(fault.LIMIT_SECONDS):
            failure = f"it ended with exit code {code}: see above"
    except subprocess.TimeoutExpired:
        failure = f"it had not ended after {fault.LIMIT_SECONDS} s"
    finally:
        _end(process)
    try:
        outcome = msgspec.json.decode(target.read_bytes(), type=Outcome)
    except (FileNotFoundError, msgspec.DecodeError):
        outcome = _unfinished(name, fault, seed, failure)
    finally:
        target.unlink(missing_ok=True)
    line = line_of(outcome, time.monotonic() - began)
    print_line(line)
    return line


def _end(process: subprocess.Popen[bytes]) -> None:
    """End what is left. Its children are on a leash of the kernel's and end with it."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _unfinished(name: str, fault: ModuleType, seed: int, failure: str) -> Outcome:
    what = (fault.__doc__ or "").partition("\n")[0].rstrip(".")
    return Outcome(fault=name, what=what, seed=seed, trials=0, failures=[failure])


if __name__ == "__main__":
    sys.exit(main())
