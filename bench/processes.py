"""Workers seen from the process that compares them."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


class WorkerError(Exception):
    """A library failed; the message is the end of what its process wrote."""


def environment(threads: int) -> dict[str, str]:
    """The environment in which a library finds how many threads to use."""
    pools = ("OMP", "OPENBLAS", "MKL", "NUMBA", "NPMOBILENET")
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return os.environ | {
        **{f"{pool}_NUM_THREADS": str(threads) for pool in pools},
        "CUDA_VISIBLE_DEVICES": "",
        "PYTHONPATH": path,
        "PYTHONDONTWRITEBYTECODE": "",  # installed packages have their bytecode, ours may too
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }


def run_module(module: str, *arguments: object, threads: int = 2) -> None:
    """Run ``python -m module`` to its end.

    Raises
    ------
    WorkerError
        If it fails.
    """
    command = [sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(
        command, env=environment(threads), capture_output=True, text=True, errors="replace"
    )
    if done.returncode:
        raise WorkerError(_last_line(done.stderr))


class Worker:
    """A library that is ready to run, and stopped while it is not its turn.

    A stopped process costs nothing: the threads of most libraries spin for a while after a call,
    and would take the cores from the next library.

    Raises
    ------
    WorkerError
        If the library cannot be loaded or run.
    """

    def __init__(self, arguments: list[object], threads: int, log: Path) -> None:
        self._log = log
        with log.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "bench.worker", *map(str, arguments)],
                env=environment(threads),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                bufsize=1,
            )
        self._answer()

    def measure(self, calls: int) -> list[float]:
        """What so many calls took, in seconds."""
        self._process.send_signal(signal.SIGCONT)
        print(calls, file=self._process.stdin, flush=True)
        return self._answer()

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()

    def _answer(self) -> list[float]:
        line = self._process.stdout.readline()
        if not line:
            self.close()
            raise WorkerError(_last_line(self._log.read_text(errors="replace")))
        self._process.send_signal(signal.SIGSTOP)
        return json.loads(line)


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "the process ended without a word"
