"""Files that are damaged or mean harm: each gives one clear error, in every format."""

import json
import resource
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from npmobilenet.architecture import mobilenet_v1
from npmobilenet.errors import ModelFileError
from npmobilenet.formats import list_tensors, read_model_file, read_weights
from npmobilenet.formats.limits import MAX_GRAPH_BYTES

FORMS = ("weights.h5", "whole.h5", "x.weights.h5", "model.keras", "graph.pb")
HDF5_FORMS = ("weights.h5", "whole.h5", "x.weights.h5")
KERNEL = {
    "weights.h5": "conv_pw_13/conv_pw_13/kernel",
    "whole.h5": "model_weights/conv_pw_13/conv_pw_13/kernel",
    "x.weights.h5": "layers/conv2d_13/vars/0",
}
forms = pytest.mark.parametrize("form", FORMS)
hdf5_forms = pytest.mark.parametrize("form", HDF5_FORMS)


@pytest.fixture(scope="module")
def files(
    tiny_v1: Any,
    save: Any,
    slim_graph: Any,
    tensors_of: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, bytes]:
    """The smallest V1 in every format."""
    folder = tmp_path_factory.mktemp("sound")
    found = {form: save(tiny_v1, folder, form).read_bytes() for form in FORMS[:-1]}
    return found | {"graph.pb": slim_graph(tensors_of(tiny_v1))}


@pytest.fixture
def file(files: dict[str, bytes], form: str, tmp_path: Path) -> Path:
    """A copy of a sound file, under a name that says nothing."""
    path = tmp_path / "model"
    path.write_bytes(files[form])
    return path


def refused(path: Path, message: str = "") -> str:
    """The message with which all three ways of reading refuse a file."""
    for read in (
        lambda: read_model_file(path),
        lambda: read_weights(path, mobilenet_v1((32, 32, 3), 1 / 32, classes=3)),
    ):
        with pytest.raises(ModelFileError) as failure:
            read()
        assert str(path) in str(failure.value)
        assert message in str(failure.value)
    return str(failure.value)


def edit_weights(form: str, path: Path, edit: Callable[[h5py.File], None]) -> None:
    """Change the HDF5 part of a file."""
    if form != "model.keras":
        with h5py.File(path, "r+") as opened:
            edit(opened)
        return
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    inner = path.with_name("inner.h5")
    inner.write_bytes(members["model.weights.h5"])
    with h5py.File(inner, "r+") as opened:
        edit(opened)
    members["model.weights.h5"] = inner.read_bytes()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def replace_kernel(form: str, path: Path, change: Callable[[np.ndarray], np.ndarray]) -> None:
    """Put another tensor in the place of the last pointwise kernel."""
    if form == "graph.pb":
        tf = pytest.importorskip("tensorflow")
        graph = tf.compat.v1.GraphDef()
        graph.ParseFromString(path.read_bytes())
        for node in graph.node:
            if node.name == "MobilenetV1/Conv2d_13_pointwise/weights":
                value = change(tf.make_ndarray(node.attr["value"].tensor))
                node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value))
        path.write_bytes(graph.SerializeToString())
        return

    def edit(opened: h5py.File) -> None:
        name = KERNEL.get(form, KERNEL["x.weights.h5"])
        value = opened[name][()]
        del opened[name]
        opened[name] = change(value)

    edit_weights(form, path, edit)


@forms
def test_sound(form: str, file: Path) -> None:
    model = read_model_file(file)
    assert (model.kind, model.alpha, model.classes) == ("mobilenet", 1 / 32, 3)


@forms
def test_cut_off(form: str, file: Path) -> None:
    content = file.read_bytes()
    for size in (1, 4, 7, 8, 15, 16, 100, len(content) // 2, len(content) - 1):
        file.write_bytes(content[:size])
        refused(file)
        with pytest.raises(ModelFileError):
            list_tensors(file)


@forms
def test_wrong_magic(form: str, file: Path) -> None:
    file.write_bytes(b"\x00" + file.read_bytes()[1:])
    refused(file, "unknown format: begins with b'\\x00")


def test_empty_absent_and_folder(tmp_path: Path) -> None:
    (tmp_path / "empty.h5").touch()
    refused(tmp_path / "empty.h5", "the file is empty")
    refused(tmp_path / "absent.h5", "no such file")
    refused(tmp_path, "a folder")


@forms
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_not_finite(form: str, value: float, file: Path) -> None:
    def change(kernel: np.ndarray) -> np.ndarray:
        kernel = kernel.copy()
        kernel[0, 0, 3, 5] = value
        return kernel

    replace_kernel(form, file, change)
    message = refused(file, "has 1 of 1024 values that are NaN or infinite")
    assert "conv_pw_13" in message or "conv2d_13" in message or "Conv2d_13" in message


@pytest.mark.parametrize("form", ["x.weights.h5"])
def test_too_large_for_float32(form: str, file: Path) -> None:
    replace_kernel(form, file, lambda kernel: np.full(kernel.shape, 1e300))
    refused(file, "1024 of 1024 values that are NaN or infinite")


@forms
@pytest.mark.parametrize("dtype", [np.int32, np.uint8, np.complex64, np.bool_])
def test_wrong_dtype(form: str, dtype: Any, file: Path) -> None:
    replace_kernel(form, file, lambda kernel: np.ones(kernel.shape, dtype))
    refused(file, "expected one of bfloat16, float16, float32, float64")


@forms
@pytest.mark.parametrize("shape", [(), (1,), (1, 1, 32, 31), (32, 32), (1, 1, 32, 32, 1), (0,)])
def test_wrong_shape(form: str, shape: tuple[int, ...], file: Path) -> None:
    replace_kernel(form, file, lambda kernel: np.zeros(shape, np.float32))
    with pytest.raises(ValueError, match=str(file)):
        read_model_file(file)
    with pytest.raises(ValueError, match=r"shape .*expected \(1, 1, 32, 32\)"):
        read_weights(file, mobilenet_v1((32, 32, 3), 1 / 32, classes=3))


@hdf5_forms
@pytest.mark.parametrize("kind", ["variable length", "strings", "compound", "reference"])
def test_objects_are_never_read(form: str, kind: str, file: Path) -> None:
    dtype = {
        "variable length": h5py.vlen_dtype(np.float32),
        "strings": h5py.string_dtype(),
        "compound": np.dtype([("x", "f4")]),
        "reference": h5py.ref_dtype,
    }[kind]
    with h5py.File(file, "r+") as opened:
        shape = opened[KERNEL[form]].shape
        del opened[KERNEL[form]]
        opened.create_dataset(KERNEL[form], shape, dtype)
    refused(file, "has dtype")


@hdf5_forms
@pytest.mark.parametrize("kind", ["soft", "soft to another", "external", "dangling"])
def test_links_are_refused(form: str, kind: str, file: Path, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["secret"] = np.zeros((1, 1, 32, 32), np.float32)
    with h5py.File(file, "r+") as opened:
        opened.move(KERNEL[form], "moved")
        opened[KERNEL[form]] = {
            "soft": h5py.SoftLink("/moved"),
            "soft to another": h5py.SoftLink("/"),
            "external": h5py.ExternalLink(str(tmp_path / "other.h5"), "/secret"),
            "dangling": h5py.SoftLink("/nothing"),
        }[kind]
    refused(file, "Link; links in model files are refused" if kind != "dangling" else "")


@hdf5_forms
@pytest.mark.parametrize("kind", ["external", "virtual"])
def test_values_outside_the_file_are_refused(
    form: str, kind: str, file: Path, tmp_path: Path
) -> None:
    (tmp_path / "raw").write_bytes(bytes(4096))
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["secret"] = np.zeros((1, 1, 32, 32), np.float32)
    with h5py.File(file, "r+") as opened:
        del opened[KERNEL[form]]
        if kind == "external":
            storage = [(str(tmp_path / "raw"), 0, 4096)]
            opened.create_dataset(KERNEL[form], (1, 1, 32, 32), "f4", external=storage)
        else:
            layout = h5py.VirtualLayout((1, 1, 32, 32), "f4")
            layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "secret", (1, 1, 32, 32))
            opened.create_virtual_dataset(KERNEL[form], layout)
    refused(file, "is kept in another file; that is refused")


@pytest.mark.parametrize("form", ["x.weights.h5"])
def test_a_group_in_itself_ends(form: str, file: Path) -> None:
    with h5py.File(file, "r+") as opened:
        opened["layers/conv2d/layers"] = opened["layers"]
    refused(file, "nested more than 16 deep")


class TestClaims:
    """Sizes that a file states but cannot have."""

    @hdf5_forms
    @pytest.mark.parametrize("storage", ["absent", "chunked", "gzip"])
    def test_huge_datasets(self, form: str, storage: str, file: Path) -> None:
        def edit(opened: h5py.File) -> None:
            name = KERNEL[form]
            del opened[name]
            options = {
                "absent": {},
                "chunked": {"chunks": (1, 1, 32, 32)},
                "gzip": {"chunks": (1, 1, 32, 1 << 20), "compression": "gzip"},
            }[storage]
            opened.create_dataset(name, (1, 1, 32, 1 << 27), "f4", **options)

        edit_weights(form, file, edit)
        with pytest.raises(ModelFileError):
            read_model_file(file)

    @hdf5_forms
    def test_a_claim_that_the_network_believes(self, form: str, file: Path) -> None:
        """A classifier of 2 million classes, consistent but for the bytes."""
        classifier = KERNEL[form].replace("conv_pw_13", "conv_preds").replace("d_13", "d_14")

        def edit(opened: h5py.File) -> None:
            bias = classifier.replace("kernel", "bias").replace("vars/0", "vars/1")
            del opened[classifier], opened[bias]
            opened.create_dataset(classifier, (1, 1, 32, 1 << 21), "f4", chunks=(1, 1, 32, 4096))
            opened.create_dataset(bias, (1 << 21,), "f4", chunks=(4096,))

        if form == "whole.h5":
            pytest.skip("its configuration has another number of classes")
        edit_weights(form, file, edit)
        assert "bytes" in refused_model(file)

    @hdf5_forms
    def test_a_compressed_bomb_is_not_inflated(self, form: str, file: Path) -> None:
        """A chunk of 4 KiB that would inflate to 256 MiB."""
        bomb = zlib.compressobj(1)
        packed = b"".join(bomb.compress(bytes(1 << 20)) for _ in range(1 << 8)) + bomb.flush()

        def edit(opened: h5py.File) -> None:
            name = KERNEL[form]
            del opened[name]
            shape = (1, 1, 32, 32)
            made = opened.create_dataset(name, shape, "f4", chunks=shape, compression="gzip")
            made.id.write_direct_chunk((0, 0, 0, 0), packed)

        edit_weights(form, file, edit)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with pytest.raises(ModelFileError, match="has 4100 bytes, expected 4096"):
            read_model_file(file)
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # KiB

    @pytest.mark.parametrize("form", ["x.weights.h5"])
    def test_one_storage_for_many_tensors(self, form: str, file: Path) -> None:
        """Hard links make one dataset of 16 MiB the tensor of every pointwise layer."""
        network = mobilenet_v1((None, None, 3), 4.0, include_top=False)
        with h5py.File(file, "w") as opened:
            counts = {"": 0}
            stored: dict[tuple[int, ...], str] = {}
            for name, shape in network.variables.items():
                layer, _, variable = name.partition("/")
                kind = type(network[layer].layer).__name__
                if variable in ("kernel", "gamma"):
                    counts[kind] = counts.get(kind, -1) + 1
                base = {"Conv2D": "conv2d", "DepthwiseConv2D": "depthwise_conv2d"}.get(
                    kind, "batch_normalization"
                )
                key = f"{base}_{counts[kind]}" if counts[kind] else base
                number = list(network.layer_variables(layer)).index(variable)
                place = f"layers/{key}/vars/{number}"
                if shape in stored:
                    opened[place] = opened[stored[shape]]
                else:
                    stored[shape] = place
                    opened.create_dataset(
                        place, shape, "f4", np.zeros(shape, "f4"), compression="gzip"
                    )
        assert "bytes" in refused_model(file)

    @pytest.mark.parametrize("form", ["graph.pb"])
    def test_huge_constants(self, form: str, file: Path) -> None:
        tf = pytest.importorskip("tensorflow")
        graph = tf.compat.v1.GraphDef()
        graph.ParseFromString(file.read_bytes())
        for node in graph.node:
            if "Logits" in node.name and node.op == "Const":
                tensor = node.attr["value"].tensor
                tensor.ClearField("tensor_content")
                del tensor.float_val[:]
                tensor.float_val.append(1.0)
                tensor.tensor_shape.dim[-1].size = 1 << 28
        file.write_bytes(graph.SerializeToString())
        assert "bytes" in refused_model(file)

    def test_members_of_an_archive(self, files: dict[str, bytes], tmp_path: Path) -> None:
        path = tmp_path / "model"
        path.write_bytes(files["model.keras"])
        with zipfile.ZipFile(path) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        for name in ("config.json", "model.weights.h5"):
            bomb = members | {name: bytes(300 << 20)}
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
                for member, content in bomb.items():
                    archive.writestr(member, content)
            refused(path, f"'{name}' claims {300 << 20} bytes unpacked from")

    def test_a_member_larger_than_its_archive(
        self, files: dict[str, bytes], tmp_path: Path
    ) -> None:
        """What it claims to take decides how far it may unpack."""
        path = tmp_path / "model"
        path.write_bytes(files["model.keras"])
        with zipfile.ZipFile(path) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        members["model.weights.h5"] = bytes(100 << 20)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for member, content in members.items():
                archive.writestr(member, content)
        content = bytearray(path.read_bytes())
        place = content.rindex(b"PK\x01\x02")  # the last entry of the list of members
        assert content.rindex(b"model.weights.h5") > place
        struct.pack_into("<I", content, place + 20, 90 << 20)
        path.write_bytes(content)
        refused(path, f"claims {90 << 20} bytes in a file of {len(content)}")

    def test_nodes_of_a_graph(self, tmp_path: Path) -> None:
        path = tmp_path / "graph.pb"
        path.write_bytes(b"\x0a\x00" * 500_000)
        refused(path, "more than 20000 nodes and other fields of the graph")
        with path.open("wb") as stream:
            stream.write(b"\x0a\x80\x80\x80\x80\x01")
            stream.truncate(1 << 40)
        refused(path, "frozen graph of 1099511627776 bytes")

    @pytest.mark.parametrize("field", ["nodes", "inputs", "attributes", "integers"])
    def test_the_worst_graph_takes_little(self, field: str, tmp_path: Path) -> None:
        """As many empty messages as fit, all of which protobuf would make at once."""
        path = tmp_path / "graph.pb"
        inner = {"nodes": b"\x0a\x00", "inputs": b"\x1a\x00", "attributes": b"\x2a\x00"}
        content = inner.get(field, b"\x18\x01") * ((MAX_GRAPH_BYTES - 64) // 2)
        if field == "integers":  # a list of them is the value of an attribute
            for start in (b"\x0a", b"\x0a\x01k\x12", b"\x2a"):
                *head, tag = start
                content = bytes(head) + bytes([tag]) + varint(len(content)) + content
        if field != "nodes":
            head = b"\x12\x05Const"
            content = b"\x0a" + varint(len(head + content)) + head + content
        path.write_bytes(content)
        code = (
            "import sys\n"
            "from npmobilenet.errors import ModelFileError\n"
            "from npmobilenet.formats import read_model_file\n"
            "try:\n    read_model_file(sys.argv[1])\n"
            "except ModelFileError as error:\n    print(error)\n"
            # Not getrusage: what that tells begins with the memory of the process that forked.
            "lines = open('/proc/self/status').read().splitlines()\n"
            "print(next(line.split()[1] for line in lines if line.startswith('VmHWM')))"
        )
        found = subprocess.run(
            [sys.executable, "-c", code, str(path)], check=True, capture_output=True, text=True
        )
        message, kibibytes = found.stdout.splitlines()
        assert "MobilenetV1" in message if field == "integers" else "more than" in message
        assert int(kibibytes) < 320 << 10

    def test_a_long_list_of_members(self, files: dict[str, bytes], tmp_path: Path) -> None:
        path = tmp_path / "model"
        path.write_bytes(files["model.keras"])
        with zipfile.ZipFile(path, "a") as archive:
            for number in range(20_000):
                archive.writestr(f"assets/{number}", b"")
        refused(path, "the list of members has")

    def test_a_sparse_file(self, files: dict[str, bytes], tmp_path: Path) -> None:
        path = tmp_path / "model"
        path.write_bytes(files["weights.h5"])
        with path.open("r+b") as stream:
            stream.truncate(1 << 40)
        refused(path, "HDF5 file of 1099511627776 bytes")


def varint(value: int) -> bytes:
    """A length as protobuf writes it."""
    digits = [value >> shift & 127 for shift in range(0, max(value.bit_length(), 1), 7)]
    return bytes([*(digit | 128 for digit in digits[:-1]), digits[-1]])


def refused_model(path: Path) -> str:
    with pytest.raises(ModelFileError) as failure:
        read_model_file(path)
    return str(failure.value)


@hdf5_forms
def test_an_unknown_filter_is_refused(form: str, file: Path) -> None:
    with h5py.File(file, "r+") as opened:
        value = opened[KERNEL[form]][()]
        del opened[KERNEL[form]]
        opened.create_dataset(KERNEL[form], data=value, chunks=value.shape, compression="lzf")
    refused(file, "is packed with HDF5 filter 32000")


@pytest.mark.parametrize("form", ["weights.h5"])
def test_a_listed_tensor_that_is_absent(form: str, file: Path) -> None:
    with h5py.File(file, "r+") as opened:
        del opened[KERNEL[form]]
    refused(file, "tensor 'conv_pw_13/kernel' of layer 'conv_pw_13' is listed, but not there")


@pytest.mark.parametrize("form", ["whole.h5"])
@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("{", "attribute 'model_config' is not JSON"),
        ("[1]", "is a JSON list, expected an object"),
        ("[" * 100_000, "attribute 'model_config' is nested too deeply"),
        ('{"class_name": "Evil", "config": {"name": "x"}}', "of class 'Evil'"),
        ("{}", "no class_name"),
    ],
)
def test_configurations(form: str, config: str, message: str, file: Path) -> None:
    with h5py.File(file, "r+") as opened:
        opened.attrs["model_config"] = config
    assert message in refused_model(file)


@pytest.mark.parametrize("form", ["whole.h5"])
def test_a_configuration_that_is_not_text(form: str, file: Path) -> None:
    with h5py.File(file, "r+") as opened:
        opened.attrs["model_config"] = np.arange(4)
    refused(file, "is not text")


@pytest.mark.parametrize("form", ["whole.h5"])
def test_a_broken_heap_does_not_hang(form: str, file: Path) -> None:
    """HDF5 itself walks this heap for ever."""
    content = bytearray(file.read_bytes())
    heap = content.index(b"GCOL")
    struct.pack_into("<Q", content, heap + 24, (1 << 64) - 16)
    file.write_bytes(content)
    refused(file, f"HDF5 global heap at byte {heap}")


@pytest.mark.parametrize("form", ["model.keras"])
def test_archives(form: str, file: Path) -> None:
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for name in members:
        with zipfile.ZipFile(file, "w") as archive:
            for member, content in members.items():
                if member != name:
                    archive.writestr(member, content)
        refused(file, f"0 members '{name}', expected one")
    with zipfile.ZipFile(file, "w", zipfile.ZIP_LZMA) as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    refused(file, "is packed with zip method 14")
    config = json.loads(members["config.json"])
    config["config"]["layers"][1]["class_name"] = "Lambda"
    with zipfile.ZipFile(file, "w") as archive:
        for member, content in (members | {"config.json": json.dumps(config)}).items():
            archive.writestr(member, content)
    assert "'conv1' is of class 'Lambda'" in refused_model(file)


def test_importing_is_light() -> None:
    """h5py and protobuf are only imported once a file needs them."""
    code = "import sys, npmobilenet.formats; print({'h5py', 'google.protobuf'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.strip() == "set()"
