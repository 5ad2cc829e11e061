"""Reads damaged copies of a model file, in a process of its own with little memory.

    python mutant_reader.py FILE FIRST COUNT

Copy number i is the same in every run. The last line printed is the number that were read and that
were refused; the process ends otherwise, or not at all, if a copy does anything but one of these.
"""

import os
import random
import resource
import signal
import sys
import tempfile
from collections import Counter
from pathlib import Path

from npmobilenet.errors import ModelFileError, WeightsMismatchError
from npmobilenet.formats import list_tensors, read_model_file, read_weights

GIBIBYTE = 1 << 30
SECONDS = 20
NUMBERS = (0, 1, 2, 255, 1 << 15, 1 << 31, (1 << 32) - 1, 1 << 40, 1 << 62, (1 << 64) - 1)


def mutant(content: bytes, number: int) -> bytes:
    """A copy with one to four damages: bits, bytes, words, blocks, or the end cut off."""
    rng = random.Random(number)
    damaged = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        # Structure has few zeros, padding has nothing else.
        for _ in range(4):
            place = rng.randrange(len(damaged))
            if damaged[place]:
                break
        kind = rng.choice(("bit", "bit", "bit", "byte", "byte", "word", "block", "cut"))
        if kind == "bit":
            damaged[place] ^= 1 << rng.randrange(8)
        elif kind == "byte":
            damaged[place] = rng.randrange(256)
        elif kind == "word":
            size = rng.choice((2, 4, 8))
            place -= place % size
            word = rng.choice(NUMBERS) % (1 << 8 * size)
            damaged[place : place + size] = word.to_bytes(size, "little")
        elif kind == "block":
            other = rng.randrange(len(damaged))
            size = rng.randrange(1, 64)
            damaged[place : place + size] = damaged[other : other + size]
        elif rng.random() < 0.3 and place:
            del damaged[place:]
    return bytes(damaged)


def outcome(path: Path) -> str:
    """``"read"`` or ``"refused"``; anything else that happens is a bug and ends the process."""
    try:
        list_tensors(path)
        model = read_model_file(path)
        read_weights(path, model.network)
    except (ModelFileError, WeightsMismatchError) as error:
        if isinstance(error.__cause__, MemoryError):
            raise
        return "refused"
    return "read"


def main() -> None:
    """Read every copy and print what became of them."""
    source, first, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    content = source.read_bytes()
    with tempfile.TemporaryDirectory(dir=source.parent) as folder:
        path = Path(folder) / "mutant"
        path.write_bytes(content)
        if outcome(path) != "read":
            raise SystemExit("the sound file is refused")
        # All modules are loaded and this file has been read once: what comes on top counts.
        taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken + GIBIBYTE, taken + GIBIBYTE))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        outcomes: Counter[str] = Counter()
        for number in range(first, first + count):
            os.write(2, b"%d\n" % number)
            path.write_bytes(mutant(content, number))
            signal.alarm(SECONDS)
            outcomes[outcome(path)] += 1
            signal.alarm(0)
    sys.stdout.write(f"read {outcomes['read']}, refused {outcomes['refused']}\n")


if __name__ == "__main__":
    main()
