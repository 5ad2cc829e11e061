"""Files of compiled kernels are believed only whole, and only where nobody else may write."""

import os
import shutil
import socket
from pathlib import Path

import pytest

from npmobilenet.kernels import sealed
from npmobilenet.kernels.sealed import DoubtfulError, check_folder, read_sealed, write_sealed

KEY = b"scan, float32"
DATA = bytes(range(256)) * 80  # longer than four pages
PAGE = 4096

posix = pytest.mark.skipif(os.name != "posix", reason="Windows has no such files, owners or modes")
ROOT = getattr(os, "geteuid", lambda: 1)() == 0


@pytest.fixture
def kept(tmp_path):
    folder = tmp_path / "kernels"
    folder.mkdir(mode=0o755)
    path = folder / "scan.nbc"
    write_sealed(path, KEY, DATA)
    return path


def test_what_was_written_is_read(kept):
    assert read_sealed(kept, KEY) == DATA
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]


def test_nothing_there(kept):
    assert read_sealed(kept.with_name("other.nbc"), KEY) is None
    assert read_sealed(kept.parent / "no folder" / "scan.nbc", KEY) is None


def test_empty_data(kept):
    write_sealed(kept, KEY, b"")
    assert read_sealed(kept, KEY) == b""


def flipped(whole):
    for place in {*range(128), *range(128, len(whole), 61), len(whole) - 1}:
        for bit in (0, 7):
            yield (
                f"bit {bit} of byte {place}",
                whole[:place] + bytes([whole[place] ^ 1 << bit]) + whole[place + 1 :],
            )


def zeroed(whole):
    for start in range(0, len(whole), PAGE):
        page = bytes(len(whole[start : start + PAGE]))
        yield f"zeros from {start}", whole[:start] + page + whole[start + PAGE :]
    yield "zeros only", bytes(len(whole))


def cut(whole):
    for length in {*range(128), *range(128, len(whole), 211), len(whole) - 1}:
        yield f"{length} bytes", whole[:length]


def other(whole):
    yield "one byte more", whole + b"\0"
    yield "twice", whole + whole
    yield "a pickle", b"\x80\x04N."
    yield "the data alone", DATA


@pytest.mark.parametrize("damages", [flipped, zeroed, cut, other])
def test_every_damage_is_noticed(kept, damages):
    whole = kept.read_bytes()
    for name, damaged in damages(whole):
        kept.write_bytes(damaged)
        with pytest.raises(DoubtfulError, match=r"scan\.nbc is damaged"):
            pytest.fail(f"{name}: {len(read_sealed(kept, KEY))} bytes were believed")
    kept.write_bytes(whole)
    assert read_sealed(kept, KEY) == DATA


def test_an_entry_does_not_pass_for_another(kept):
    renamed = kept.with_name("other.nbc")
    shutil.copyfile(kept, renamed)
    for key in (b"other", KEY[:-1], b""):
        with pytest.raises(DoubtfulError, match=r"other\.nbc is damaged"):
            read_sealed(renamed, key)


def test_where_the_key_ends_is_sealed_too(kept):
    whole = kept.read_bytes()
    start = len(whole) - len(DATA)
    kept.write_bytes(whole[:start] + DATA[1:])
    with pytest.raises(DoubtfulError, match=r"scan\.nbc is damaged"):
        read_sealed(kept, KEY + DATA[:1])


def test_a_huge_file_is_not_read(kept, monkeypatch):
    monkeypatch.setattr(sealed, "_LONGEST", kept.stat().st_size - 1)
    with pytest.raises(DoubtfulError, match="bytes, expected at most"):
        read_sealed(kept, KEY)


def pipe(path: Path) -> None:
    os.mkfifo(path)


def link(path: Path) -> None:
    path.with_name("sound").write_bytes(b"")
    path.symlink_to("sound")


def link_to_itself(path: Path) -> None:
    path.symlink_to(path)


def link_to_nothing(path: Path) -> None:
    path.symlink_to("nothing")


def link_to_a_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def bound(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # an address is short
    try:
        with socket.socket(socket.AF_UNIX) as end:
            end.bind(path.name)
    finally:
        os.chdir(here)


STRANGERS = {
    "pipe": (pipe, "is not a file"),
    "folder": (Path.mkdir, "is not a file"),
    "socket": (bound, "cannot be read"),
    "link": (link, "is a symbolic link"),
    "link to itself": (link_to_itself, "is a symbolic link"),
    "link to nothing": (link_to_nothing, "is a symbolic link"),
    "link to a device": (link_to_a_device, "is a symbolic link"),
}


@posix
@pytest.mark.timeout(20)
@pytest.mark.parametrize("stranger", STRANGERS)
def test_what_is_not_a_file(kept, stranger):
    make, said = STRANGERS[stranger]
    kept.unlink()
    make(kept)
    with pytest.raises(DoubtfulError, match=said):
        read_sealed(kept, KEY)


@posix
@pytest.mark.parametrize("stranger", sorted(set(STRANGERS) - {"folder"}))
def test_what_is_not_a_file_is_replaced(kept, stranger):
    kept.unlink()
    STRANGERS[stranger][0](kept)
    write_sealed(kept, KEY, DATA)
    assert read_sealed(kept, KEY) == DATA


@posix
@pytest.mark.parametrize("mode", [0o664, 0o646, 0o620, 0o602, 0o666])
def test_a_file_that_others_may_write(kept, mode):
    kept.chmod(mode)
    with pytest.raises(DoubtfulError, match=f"others may write to {kept} .mode {mode:o}"):
        read_sealed(kept, KEY)


@posix
@pytest.mark.parametrize("mode", [0o775, 0o757, 0o1777])
def test_a_folder_that_others_may_write(kept, mode):
    kept.parent.chmod(mode)
    for look in (lambda: check_folder(kept.parent), lambda: read_sealed(kept, KEY)):
        with pytest.raises(DoubtfulError, match=f"others may write to {kept.parent} .mode"):
            look()


@posix
def test_a_link_in_the_place_of_the_folder(kept):
    place = kept.parent.with_name("place")
    place.symlink_to(kept.parent)
    for look in (lambda: check_folder(place), lambda: read_sealed(place / kept.name, KEY)):
        with pytest.raises(DoubtfulError, match="place is not a folder"):
            look()


@posix
def test_a_folder_below_a_link(kept):
    home = kept.parents[1].with_name(f"{kept.parents[1].name}-link")
    home.symlink_to(kept.parents[1])
    check_folder(home / "kernels")
    assert read_sealed(home / "kernels" / kept.name, KEY) == DATA


@posix
def test_the_umask_opens_nothing(kept):
    before = os.umask(0)
    try:
        write_sealed(kept, KEY, DATA)
    finally:
        os.umask(before)
    assert kept.stat().st_mode & 0o777 == 0o644
    assert read_sealed(kept, KEY) == DATA


@posix
@pytest.mark.parametrize(("owner", "taken"), [("own", True), ("root", True), ("other", False)])
def test_owners(kept, monkeypatch, owner, taken):
    """Seen by a user who is not root, as the system tells owners."""
    user = 12345
    number = {"own": user, "root": 0, "other": 54321}[owner]
    stat = os.fstat

    def fstat(descriptor):
        values = list(stat(descriptor))
        values[4] = number
        return os.stat_result(values)

    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(os, "fstat", fstat)
    if taken:
        assert read_sealed(kept, KEY) == DATA
    else:
        with pytest.raises(DoubtfulError, match="belongs to user 54321, expected user 12345 or"):
            read_sealed(kept, KEY)


@pytest.mark.skipif(not ROOT, reason="only root gives files away")
@pytest.mark.parametrize("given", ["file", "folder"])
def test_what_another_user_owns(kept, given):
    os.chown(kept if given == "file" else kept.parent, 54321, -1)
    with pytest.raises(DoubtfulError, match="belongs to user 54321, expected user 0 or root"):
        read_sealed(kept, KEY)


@posix
@pytest.mark.skipif(ROOT, reason="root may read all")
def test_what_cannot_be_read(kept):
    kept.chmod(0o200)
    with pytest.raises(DoubtfulError, match="cannot be read: Permission denied"):
        read_sealed(kept, KEY)
