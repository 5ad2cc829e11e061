"""Labels files of one's own."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from npmobilenet.errors import LabelsError
from npmobilenet.labels import Labels, imagenet_labels, read_labels


@pytest.fixture
def write(tmp_path):
    """``write(content)``: the path of a file with it."""

    def write(content: str | bytes):
        path = tmp_path / "labels.txt"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("cat\ndog\n", Labels(("cat", "dog"))),
        ("cat\r\n dog \r\n\r\n", Labels(("cat", "dog"))),
        ("\ufeffcafé\nthé", Labels(("café", "thé"))),
        ("n1\tcat\nn2\tdog\n", Labels(("cat", "dog"), ("n1", "n2"))),
        ("Background\ncat\n", Labels(("Background", "cat"), has_background=True)),
        ('["cat", "dog"]', Labels(("cat", "dog"))),
        ('[["n1", "cat"], "dog"]', Labels(("cat", "dog"), ("n1", None))),
        ('{"1": "dog", "0": "cat"}', Labels(("cat", "dog"))),
        ('{"0": ["n1", "cat"]}', Labels(("cat",), ("n1",))),
        ('{"dog": 1, "cat": 0}', Labels(("cat", "dog"))),
        ('{"1": 1, "0": 0}', Labels(("0", "1"))),
        ("0 Orange\n1 Green apple\n", Labels(("Orange", "Green apple"))),
        ("0:cat\n1: dog", Labels(("cat", "dog"))),
        ("0,cat\n1,dog", Labels(("cat", "dog"))),
        ("0\tcat\n1\tdog", Labels(("cat", "dog"))),
        ("1. cat\n2. dog", Labels(("cat", "dog"))),
        ("0 background\n1 cat", Labels(("background", "cat"), has_background=True)),
        ("0 cat", Labels(("cat",))),
        ("1 cat", Labels(("1 cat",))),
        ("7-Eleven\n8-Eleven", Labels(("7-Eleven", "8-Eleven"))),
        ("3d printer\n4d film", Labels(("3d printer", "4d film"))),
        ("1 cent\n2 cent\n5 cent", Labels(("1 cent", "2 cent", "5 cent"))),
        ("1 star\n2 star", Labels(("1 star", "2 star"))),
        ("0 cat\n2 dog", Labels(("0 cat", "2 dog"))),
        ("1 dog\n0 cat", Labels(("1 dog", "0 cat"))),
        ("0 cat\ndog", Labels(("0 cat", "dog"))),
        ("0.5 l bottle\n1.5 l bottle", Labels(("0.5 l bottle", "1.5 l bottle"))),
    ],
)
def test_kinds(write, content, expected):
    assert read_labels(write(content)) == expected


def test_the_class_index_of_keras(shared):
    assert read_labels(shared / "labels" / "imagenet_class_index.json") == imagenet_labels()
    assert read_labels(shared / "labels" / "imagenet_labels_1001.txt").has_background


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "no labels"),
        ("\n \n", "no labels"),
        ("[]", "no labels"),
        ("cat\n\ndog\n", "line 2"),
        ("n1\tcat\ndog\n", "line 2.*a tab"),
        ("n1\tcat\tx\n", "line 1"),
        (b"\xff\xfe\x00", "UTF-8"),
        ('["cat"', "JSON"),
        ("[" * 100_000, "JSON"),
        ('["cat", 3]', "class 1"),
        ('["cat", ""]', "class 1"),
        ('[["n1", "cat", "x"]]', "class 0"),
        ('{"0": "cat", "2": "dog"}', "not '1'"),
        ('{"a": "cat"}', "not '0'"),
        ("x" * (16 * 1024 * 1024 + 1), "more than"),
    ],
)
def test_errors_name_the_file(write, content, message):
    with pytest.raises(LabelsError, match=rf"labels\.txt: .*{message}"):
        read_labels(write(content))


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(LabelsError, match="absent"):
        read_labels(tmp_path / "absent.txt")
    with pytest.raises(LabelsError, match="cannot be read"):
        read_labels(tmp_path)


@given(st.lists(st.text(min_size=1), min_size=1))
def test_json_round_trip(tmp_path_factory, names):
    path = tmp_path_factory.mktemp("labels") / "labels.json"
    path.write_text(json.dumps(names))
    assert read_labels(path).names == tuple(names)


@given(st.binary(max_size=200))
def test_any_bytes_give_labels_or_an_error(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("labels") / "labels"
    path.write_bytes(content)
    try:
        labels = read_labels(path)
    except LabelsError:
        return
    assert all(labels.names)
