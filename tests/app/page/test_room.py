"""Pages that were fetched and are not opened are forgotten, the oldest first."""

import subprocess
import sys

CODE = """
import sys
from pathlib import Path
from fastapi.testclient import TestClient
from nicegui import Client
from npmobilenet.app.limits import Limits, Settings
from npmobilenet.app.server import create_app

app = create_app(Settings(models=(Path(sys.argv[1]),), limits=Limits(pages=3)))
with TestClient(app, base_url="http://localhost") as client:
    before = set(Client.instances)
    for _ in range(3):
        assert client.get("/").status_code == 200
    first, second, third = (one for one in Client.instances if one not in before)
    Client.instances[first].tab_id = "open"
    for _ in range(10):
        assert client.get("/").status_code == 200
    assert first in Client.instances
    assert second not in Client.instances
    print(len(Client.instances) - len(before))
"""


def test_no_more_than_some_wait_to_be_opened(model_file):
    # A process can mount the page only once.
    found = subprocess.run(
        [sys.executable, "-c", CODE, str(model_file)], capture_output=True, text=True, check=False
    )
    assert found.stdout.strip() == "4", found.stderr
