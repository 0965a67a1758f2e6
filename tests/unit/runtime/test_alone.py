"""Only one process of a service works in a state folder."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from interlock.runtime.alone import require_alone
from interlock.runtime.config import ConfigError

HOLDER = """
import sys, time
from pathlib import Path
from interlock.runtime.alone import require_alone
require_alone(Path(sys.argv[1]), "gate")
print("held", flush=True)
time.sleep(60)
"""


def test_i14_a_second_one_is_refused_until_the_first_has_ended(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        os.kill(first.pid, signal.SIGSTOP)
        with pytest.raises(ConfigError, match=f"another gate .*process {first.pid}"):
            require_alone(tmp_path, "gate", patience_seconds=0.1)
        require_alone(tmp_path, "exec", patience_seconds=0.1)
        first.kill()
    require_alone(tmp_path, "gate")
