"""Files of a KNN classifier that somebody made on purpose: one sentence, little work, no memory."""

import io
import json
import os
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

from npmobilenet.errors import ModelFileError
from npmobilenet.formats.limits import MAX_TEXT_BYTES
from npmobilenet.transfer.knn import KNNClassifier

ABOUT = json.dumps(
    {"format": "npmobilenet.KNNClassifier/1", "labels": ["a"], "present": [True]}
).encode()


def npy(array, header=None):
    """An array as NumPy writes it, with another header if one is given."""
    stream = io.BytesIO()
    np.save(stream, array)
    if header is None:
        return stream.getvalue()
    text = header.encode("latin-1")
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + array.tobytes()


def members(**changes):
    """The members of a sound file, or others."""
    sound = {
        "about": npy(np.frombuffer(ABOUT, np.uint8)),
        "class_ids": npy(np.zeros(2, "<i4")),
        "units": npy(np.eye(2, dtype="<f4")),
    }
    return [(f"{name}.npy", content) for name, content in (sound | changes).items()]


def archive(entries, kind=zipfile.ZIP_STORED):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", kind) as file:
        for name, content in entries:
            file.writestr(name, content)
    return stream.getvalue()


def refused(content, *words):
    """The sentence with which a file is refused."""
    tracemalloc.start()
    try:
        with pytest.raises(ModelFileError) as caught:
            KNNClassifier.load(io.BytesIO(content))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    sentence = str(caught.value)
    for word in words:
        assert word in sentence
    assert len(sentence) < 300
    assert "\n" not in sentence
    assert peak < 4 * len(content) + (1 << 20)
    return sentence


def test_a_sound_file_made_here_is_read():
    """Or the tests below would pass whatever is read."""
    assert KNNClassifier.load(io.BytesIO(archive(members()))).get_num_classes() == 1


UNITS = np.eye(2, dtype="<f4")
HEADER = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }\n"


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), ",  # tokenize.TokenError
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2)\n",
        "(" * 200,
        "'" * 3,
        "\\\n",
        "\x00" * 16,
        "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2, 2), }\n",
        "{'descr': '<f4', 'fortran_order': 0, 'shape': (2, 2), }\n",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, -2), }\n",
        HEADER + "\n",
        "",
    ],
)
def test_headers_that_numpy_does_not_write(header):
    assert header != HEADER
    refused(archive(members(units=npy(UNITS, header))), "units has another header")


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (HEADER.replace("<f4", "|O"), "found |O"),
        (HEADER.replace("<f4", ">f4"), "found >f4"),
        (HEADER.replace("<f4", "<U1"), "found <U1"),
        (HEADER.replace("False", "True"), "Fortran order True"),
        (HEADER.replace("2, 2", "4,"), "shape (4,)"),
        (HEADER.replace("2, 2", ""), "shape ()"),
        (HEADER.replace("2, 2", "2, 3"), "needs 24 bytes, found 16"),
        (HEADER.replace("2, 2", f"{10**20}, {10**20}"), "found 16"),
        (HEADER.replace("2, 2", f"0, {10**20}"), "needs 0 bytes"),
    ],
)
def test_arrays_of_another_kind(header, words):
    refused(archive(members(units=npy(UNITS, header))), "units: ", words)


def test_long_headers_and_other_versions():
    refused(archive(members(units=npy(UNITS, HEADER + " " * 60_000))), "format 1.0")
    other = npy(UNITS).replace(b"\x93NUMPY\x01", b"\x93NUMPY\x03")
    refused(archive(members(units=other)), "format 1.0")


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", ["about", "class_ids", "units"])
def test_members_that_are_there_twice(name):
    twice = members() + [pair for pair in members() if pair[0] == f"{name}.npy"]
    refused(archive(twice), f"2 members '{name}.npy'")


def test_a_text_of_many_megabytes_is_not_parsed():
    text = ABOUT[:-1] + b', "more": [' + b"1.5," * (MAX_TEXT_BYTES // 4) + b"0]}"
    content = archive(members(about=npy(np.frombuffer(text, np.uint8))))
    refused(content, f"about has {len(text)} bytes")


def test_compressed_members_are_not_unpacked():
    zeros = npy(np.zeros((20 << 20) // 8, "<f8"))
    refused(archive(members(units=zeros), zipfile.ZIP_DEFLATED), "is compressed")


def test_a_member_that_claims_more_than_the_file_has():
    content = bytearray(archive(members()))
    place = content.rindex(b"units.npy") - 46  # its entry in the list of members
    assert content[place : place + 4] == b"PK\x01\x02"
    content[place + 20 : place + 28] = struct.pack("<II", 1 << 30, 1 << 30)
    refused(bytes(content), "units claims 1073741824 bytes, in a file of")


def test_a_long_list_of_members():
    many = archive([*members(), *((f"{number:064}", b"") for number in range(20_000))])
    refused(many, "the list of members has")


def end_in_64_bits(content, size, place=None):
    """An archive whose end record says, in 64 bits, that its list has ``size`` bytes."""
    begin = len(content) - 22
    list_size, list_place = struct.unpack_from("<II", content, begin + 12)
    record = struct.pack(
        "<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 3, 3, size or list_size, list_place
    )
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, begin if place is None else place, 1)
    return content[:begin] + record + locator + content[begin:]


def test_end_records_in_64_bits():
    sound = archive(members())
    KNNClassifier.load(io.BytesIO(end_in_64_bits(sound, None)))  # as of files beyond 2 GiB
    refused(end_in_64_bits(sound, 1 << 40), "the list of members has 1099511627776 bytes")
    refused(end_in_64_bits(sound, None, place=0), "where it should be")
    refused(sound[:-22] + b"PK\x06\x07" + bytes(16) + sound[-22:], "where it should be")


@pytest.mark.parametrize("field", ["about", "class_ids", "units"])
def test_a_flipped_bit_in_an_array_is_noticed(field):
    """zipfile compares checksums only at the end of a member."""
    content = bytearray(archive(members()))
    content[content.index(dict(members())[f"{field}.npy"]) + 130] ^= 1
    refused(bytes(content), "CRC")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_named_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.npz")
    for path in (tmp_path / "pipe.npz", tmp_path, "/dev/zero"):
        with pytest.raises(ModelFileError, match=r"found a (named pipe|device)|a folder"):
            KNNClassifier.load(path)


def test_labels_that_would_not_be_read_back_are_not_written(tmp_path):
    classifier = KNNClassifier()
    classifier.add_class("a" * MAX_TEXT_BYTES)
    with pytest.raises(ValueError, match=r"labels take 8,388,\d+ bytes as JSON"):
        classifier.save(tmp_path / "long.npz")
    assert list(tmp_path.iterdir()) == []


def test_an_open_file_will_do(tmp_path, rng):
    classifier = KNNClassifier()
    classifier.add_example(rng.standard_normal(5), "a")
    stream = io.BytesIO()
    classifier.save(stream)
    assert KNNClassifier.load(stream).get_class_example_count() == {"a": 1}
    classifier.save(tmp_path / "same.npz")
    assert (tmp_path / "same.npz").stat().st_size == len(stream.getvalue())
