"""Photos to train on: folders of files, and any set in TensorFlow Datasets."""

import os
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from tfimg.files import has_picture_suffix, read_picture
from tfimg.pixels import on_background, to_uint8


def pictures_under(folder: str | os.PathLike) -> list[Path]:
    """All picture files of a folder and its subfolders, sorted; hidden files are left out.

    Args:
        folder: Folder to look in.

    Returns:
        Paths that start with `folder`.

    Raises:
        FileNotFoundError: If there is no such folder.
        ValueError: If it is no folder, or holds no pictures.
    """
    folder = Path(folder)
    if not folder.exists():
        raise FileNotFoundError(f"{folder}: no such folder")
    if not folder.is_dir():
        raise ValueError(f"{folder}: is a file; expected a folder of pictures")
    found = [
        path
        for path in sorted(folder.rglob("*"))
        if has_picture_suffix(path)
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]
    if not found:
        raise ValueError(f"{folder}: holds no pictures")
    return found


def read_rgb(path: str | os.PathLike) -> np.ndarray:
    """Reads a picture file as 8-bit RGB, upright; what is transparent becomes white.

    Args:
        path: File to read.

    Returns:
        (H, W, 3) uint8.

    Raises:
        FileNotFoundError, ValueError: As in `tfimg.files.read_picture`.
    """
    picture = read_picture(path)
    pixels = picture.pixels
    if picture.alpha is not None:
        pixels = on_background(np.dstack([pixels, picture.alpha]))
    return np.ascontiguousarray(to_uint8(pixels))


def photos_from_folders(folders: Sequence[str | os.PathLike]) -> Iterator[np.ndarray]:
    """Reads the pictures of folders and their subfolders, one after the other.

    The order is that of `folders`, then that of the file names, so it is always the same. Files
    that cannot be read are left out with a warning that names them.

    Args:
        folders: Folders to read; all are looked at before the first picture is.

    Returns:
        Iterator of (H, W, 3) uint8 arrays, RGB.

    Raises:
        FileNotFoundError: If a folder does not exist.
        TypeError: If `folders` is a single path.
        ValueError: If a folder holds no pictures, or none that can be read.

    Example:
        >>> photos = list(photos_from_folders(["photos/train"]))
    """
    if isinstance(folders, str | os.PathLike):
        raise TypeError(f"folders is the single path {str(folders)!r}; expected a list of folders")
    found = {str(folder): pictures_under(folder) for folder in folders}
    return (photo for folder, paths in found.items() for photo in _readable(folder, paths))


def photos_from_tfds(
    name: str, split: str = "train", data_dir: str | os.PathLike | None = None
) -> Iterator[np.ndarray]:
    """Reads the feature `image` of any data set that TensorFlow Datasets knows.

    Args:
        name: Name of the data set, with its configuration and version if wanted:
            "cars196", "div2k/bicubic_x2:2.0.0".
        split: A split, in the slicing notation of TensorFlow Datasets: "train", "train[:10%]".
        data_dir: Where prepared data sets lie, by default `~/tensorflow_datasets`. What is not
            there yet is downloaded.

    Returns:
        Iterator of (H, W, 3) uint8 arrays, RGB, always in the same order.

    Raises:
        ValueError: If the data set or the split is unknown, or has no picture called `image`.

    Example:
        >>> photo = next(photos_from_tfds("oxford_flowers102", split="train[:1%]"))
    """
    import tensorflow_datasets as tfds  # takes seconds, and only this function needs it

    try:
        builder = tfds.builder(name, data_dir=data_dir)
    except tfds.core.registered.DatasetNotFoundError:
        raise ValueError(f"TensorFlow Datasets has no data set {name!r}") from None
    features = dict(builder.info.features.items())
    if not isinstance(features.get("image"), tfds.features.Image):
        raise ValueError(
            f"data set {name!r} has no picture feature 'image'; its features are "
            + ", ".join(sorted(features))
        )
    builder.download_and_prepare()
    examples = builder.as_dataset(
        split=split, decoders=tfds.decode.PartialDecoding({"image": features["image"]})
    )
    return (_as_rgb(example["image"]) for example in examples.as_numpy_iterator())


def _readable(folder: str, paths: list[Path]) -> Iterator[np.ndarray]:
    count = 0
    for path in paths:
        try:
            photo = read_rgb(path)
        except (ValueError, OSError) as error:
            warnings.warn(f"left out {error}", stacklevel=2)
            continue
        count += 1
        yield photo
    if not count:
        raise ValueError(f"{folder}: none of its {len(paths)} pictures can be read")


def _as_rgb(image: np.ndarray) -> np.ndarray:
    """(H, W, 1, 3 or 4) from a data set to (H, W, 3) uint8."""
    if image.shape[-1] == 4:
        image = on_background(image)
    if image.shape[-1] == 1:
        image = np.repeat(image, 3, axis=-1)
    return to_uint8(image)
