"""Streams of pictures: order, reproducibility, bounded memory, broken files."""

import threading

import numpy as np
import pytest

from npmobilenet.errors import ImageError
from npmobilenet.transfer import stream as stream_module
from npmobilenet.transfer.augmentation import Augmentation
from npmobilenet.transfer.folder import scan_folder, stratified_split
from npmobilenet.transfer.stream import ImageStream, Picture

SMALL = Picture((24, 24))


def test_scanning(shapes_folder):
    (shapes_folder / "notes.txt").write_text("no class")
    (shapes_folder / "red" / "notes.txt").write_text("no picture")
    (shapes_folder / ".hidden").mkdir()
    (shapes_folder / "red" / "deeper").mkdir()
    (shapes_folder / "red" / "00.png").rename(shapes_folder / "red" / "deeper" / "00.PNG")
    folder = scan_folder(shapes_folder)
    assert folder.class_names == ("blue", "green", "red")
    assert np.bincount(folder.class_indices).tolist() == [12, 12, 12]
    assert list(folder.samples) == sorted(folder.samples, key=lambda s: (s.class_index, s.path))


def test_folders_without_classes(tmp_path):
    with pytest.raises(ImageError, match="no such folder"):
        scan_folder(tmp_path / "missing")
    with pytest.raises(ImageError, match="a folder for each class"):
        scan_folder(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ImageError, match=r"empty: no pictures"):
        scan_folder(tmp_path)


def test_splits_keep_the_share_of_every_class():
    classes = np.array([0] * 50 + [1] * 10 + [2] * 2 + [3])
    training, validation = stratified_split(classes, 0.2, seed=1)
    assert np.bincount(classes[validation], minlength=4).tolist() == [10, 2, 1, 0]
    assert sorted([*training, *validation]) == list(range(63))
    np.testing.assert_array_equal(stratified_split(classes, 0.2, seed=1)[1], validation)
    assert not np.array_equal(stratified_split(classes, 0.2, seed=2)[1], validation)
    assert len(stratified_split(classes, 0.0, seed=1)[1]) == 0
    with pytest.raises(ValueError, match="from 0 to below 1"):
        stratified_split(classes, 1.0, seed=1)


def everything(stream, epoch=0):
    batches = list(stream.epoch(epoch))
    return (
        np.concatenate([batch.images for batch in batches]),
        np.concatenate([batch.class_indices for batch in batches]),
        np.concatenate([batch.positions for batch in batches]),
    )


def test_pictures_come_in_order(shapes_folder):
    folder = scan_folder(shapes_folder)
    stream = ImageStream(folder.samples, SMALL, batch_size=7)
    assert [len(batch.images) for batch in stream] == [7, 7, 7, 7, 7, 1]
    images, classes, positions = everything(stream)
    assert images.dtype == np.uint8
    np.testing.assert_array_equal(positions, np.arange(36))
    np.testing.assert_array_equal(classes, folder.class_indices)
    for position in (0, 17, 35):
        np.testing.assert_array_equal(images[position], SMALL.load(folder.samples[position].path))


def test_workers_do_not_change_anything(shapes_folder):
    folder = scan_folder(shapes_folder)
    augmentation = Augmentation(rotation_range=30, horizontal_flip=True, zoom_range=0.2)
    results = [
        everything(
            ImageStream(
                folder.samples,
                SMALL,
                augmentation=augmentation,
                shuffle=True,
                seed=3,
                workers=workers,
                prefetch=prefetch,
                batch_size=batch_size,
            ),
            epoch=2,
        )
        for workers, prefetch, batch_size in ((1, 1, 5), (4, 3, 36), (8, 100, 11))
    ]
    for other in results[1:]:
        for first, second in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(first, second)


def test_epochs_and_seeds_differ(shapes_folder):
    samples = scan_folder(shapes_folder).samples
    augmentation = Augmentation(rotation_range=30)
    first, second = (
        ImageStream(samples, SMALL, augmentation=augmentation, shuffle=True, seed=seed)
        for seed in (1, 2)
    )
    images, _, positions = everything(first)
    assert not np.array_equal(positions, everything(first, 1)[2])
    assert not np.array_equal(positions, everything(second)[2])
    sorted_images = images[np.argsort(positions)]
    later, _, later_positions = everything(first, 1)
    assert not np.array_equal(sorted_images, later[np.argsort(later_positions)])


def test_float_pictures(shapes_folder):
    stream = ImageStream(
        scan_folder(shapes_folder).samples,
        Picture((24, 24), resize="tf-bilinear", crop=None),
        augmentation=Augmentation(brightness_range=(0.5, 0.5)),
    )
    batch = next(iter(stream))
    assert batch.images.dtype == np.float32
    assert 70 < batch.images.max() <= 127.5


def test_broken_pictures_are_skipped_and_counted(shapes_folder):
    whole = (shapes_folder / "blue" / "03.png").read_bytes()
    (shapes_folder / "blue" / "03.png").write_bytes(whole[: len(whole) // 2])
    (shapes_folder / "red" / "11.png").write_bytes(b"")
    samples = scan_folder(shapes_folder).samples
    reported = []
    stream = ImageStream(samples, SMALL, batch_size=10, on_skip=reported.append)
    _, _, positions = everything(stream)
    assert sorted(set(range(36)) - set(positions.tolist())) == [3, 35]
    assert reported == stream.skipped
    assert [skipped.sample for skipped in stream.skipped] == [samples[3], samples[35]]
    assert all(str(skipped.sample.path) in skipped.reason for skipped in stream.skipped)
    everything(stream)
    assert len(stream.skipped) == 2  # of the last pass, not of all


def test_decoding_ahead_is_bounded(shapes_folder, monkeypatch):
    decoded = []
    lock = threading.Lock()

    def counted(source, channels):
        with lock:
            decoded.append(source)
        return np.zeros((30, 30, 3), np.uint8)

    monkeypatch.setattr(stream_module, "decode_image", counted)
    stream = ImageStream(
        scan_folder(shapes_folder).samples, SMALL, batch_size=2, workers=4, prefetch=5
    )
    passing = iter(stream)
    next(passing)
    assert 2 <= len(decoded) <= 2 + 5
    passing.close()
    assert len(decoded) <= 2 + 5
    assert not [t for t in threading.enumerate() if t.name.startswith("decode")]


@pytest.mark.parametrize("argument", ["batch_size", "workers", "prefetch"])
def test_counts_are_positive(argument):
    with pytest.raises(ValueError, match=argument):
        ImageStream([], SMALL, **{argument: 0})


def test_where_threads_cannot_be_started(shapes_folder, one_more_thread):
    """The thread that asks decodes by itself."""
    broken = shapes_folder / "red" / "05.png"
    broken.write_bytes(broken.read_bytes()[:40])
    samples = scan_folder(shapes_folder).samples
    one = everything(ImageStream(samples, SMALL, workers=1))
    stream = ImageStream(samples, SMALL, workers=4)
    for found, expected in zip(everything(stream), one, strict=True):
        np.testing.assert_array_equal(found, expected)
    assert [skipped.sample.path for skipped in stream.skipped] == [broken]
