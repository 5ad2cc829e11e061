"""A Python module run in a process of its own, which does not outlive this one."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

# Standard input is a pipe that nobody writes to: it ends when the process that holds its other end
# does, even by SIGKILL. (prctl's death signal would have to be asked for between fork and exec,
# which is no place for Python in a process with threads; and it knows Linux only.)
_WATCHED = """
import os, runpy, signal, sys, threading

def watch():
    os.read(0, 1)
    if hasattr(os, "killpg"):
        os.killpg(0, signal.SIGKILL)  # the session is its own
    os._exit(1)

threading.Thread(target=watch, daemon=True).start()
del sys.argv[0]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


def run_module(
    name: str,
    arguments: Sequence[str],
    *,
    timeout: float,
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run ``python -m name``, and end it with whatever it started when this process ends.

    Modules are not looked for in the current folder.

    Parameters
    ----------
    name : str
    arguments : sequence of str
    timeout : float
        Seconds.
    environment : mapping, optional
        Instead of this process's.

    Returns
    -------
    subprocess.CompletedProcess
        With its exit status, and what it said.

    Raises
    ------
    subprocess.TimeoutExpired
        If it takes longer; it has been ended then.
    """
    command = [sys.executable, "-P", "-c", _WATCHED, name, *arguments]
    reading, writing = os.pipe()
    try:
        return subprocess.run(  # noqa: S603 - no shell
            command,
            stdin=reading,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            env=environment,
            start_new_session=True,
        )
    finally:
        os.close(reading)
        os.close(writing)
