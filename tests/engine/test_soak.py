"""Long runs: everything at once for a while, and memory and threads that stay as they were."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("soaking.py")
SECONDS = float(os.environ.get("NPMOBILENET_SOAK", "60"))  # for each of the two

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="counts as Linux does, and forks")


def run(*arguments, **environment):
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
@pytest.mark.timeout(600 + 2 * SECONDS)
@pytest.mark.parametrize("checks", [{}, {"NPMOBILENET_CHECK": "1", "PYTHONMALLOC": "debug"}])
def test_everything_at_once(checks):
    """``-s`` shows how much of each there was."""
    found = run(SCRIPT, str(SECONDS), "1", MALLOC_PERTURB_="165", **checks)
    assert not found["failed"]
    sys.stdout.write(f"\n{SECONDS:.0f} s, {checks or 'as it is'}: {found['counts']}\n")
    for act in ("interrupts", "forks", "copies", "pickles", "calls beside", "new_models"):
        assert found["counts"][act] > 0
    # The main thread, helpers for four cores, and NumPy's.
    assert found["counts"]["threads"] <= 1 + 3 + (os.cpu_count() or 1)


FLAT = """
import gc, json, os, resource
import numpy as np
from npmobilenet.architecture import mobilenet_v1
from npmobilenet.initializers import random_weights
from npmobilenet.model import Model

def state():
    pages = int(open("/proc/self/statm").read().split()[1])
    return pages * resource.getpagesize() >> 20, len(os.listdir("/proc/self/task"))

network = mobilenet_v1((64, 64, 3), 0.5, classes=100)
weights = random_weights(network, 0)
x = np.zeros((2, 64, 64, 3), np.float32)
picture = np.zeros((64, 64, 3), np.uint8)

def use(count):
    for _ in range(count):
        model = Model(network, weights)
        model.predict(x, threads=2)
        model.embed(picture)

gc.disable()  # nothing may need it: weights do not wait for the search for cycles
use({models} // 10)
found = [state()]
use({models})
found.append(state())
model = Model(network, weights)
for count in ({calls} // 10, {calls}):
    for i in range(count):
        model.predict(x[: 1 + i // 2 % 2], threads=1 + i % 2)
    found.append(state())
print(json.dumps(found))
"""


@pytest.mark.parametrize(
    ("models", "calls"), [(20, 1000), pytest.param(300, 20_000, marks=pytest.mark.slow)]
)
def test_memory_and_threads_stay_flat(models, calls):
    script = FLAT.replace("{models}", str(models)).replace("{calls}", str(calls))
    (before, few), (after, many), first, last = run("-c", script, NPMOBILENET_CHECK="0")
    # A model of this size has packed weights of 3.5 MB, three times.
    assert after - before < 5, (before, after)
    assert last[0] - first[0] < 5, (first, last)
    assert few == many == first[1] == last[1]
