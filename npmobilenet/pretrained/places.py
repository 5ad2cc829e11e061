"""Where weights are looked for: folders, the cache and the server, each set by the environment."""

import os
from pathlib import Path

from npmobilenet.pretrained.catalogue import BASE_URL

WEIGHTS_VARIABLE = "NPMOBILENET_WEIGHTS"
CACHE_VARIABLE = "NPMOBILENET_CACHE"
BASE_URL_VARIABLE = "NPMOBILENET_BASE_URL"


def weight_folders() -> list[Path]:
    """Folders of one's own: those of ``NPMOBILENET_WEIGHTS``, then ``weights/`` of a checkout."""
    named = os.environ.get(WEIGHTS_VARIABLE, "").split(os.pathsep)
    folders = [Path(folder).expanduser() for folder in named if folder]
    checkout = checkout_folder()
    return [*folders, checkout] if checkout else folders


def checkout_folder() -> Path | None:
    """``weights/`` beside the package, when it runs from a checkout and not from an install."""
    root = Path(__file__).parents[2]
    folder = root / "weights"
    return folder if (root / "pyproject.toml").is_file() and folder.is_dir() else None


def cache_folder() -> Path:
    """Where fetched files are kept: ``NPMOBILENET_CACHE``, or the user's cache."""
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        return Path(named).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("npmobilenet"))


def base_url() -> str:
    """Where the files of keras.applications are: ``NPMOBILENET_BASE_URL``, or the official one."""
    return (os.environ.get(BASE_URL_VARIABLE) or BASE_URL).rstrip("/") + "/"
