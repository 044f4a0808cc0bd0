"""A folder of pictures as a data set of TensorFlow Datasets, with captions or labels."""

import hashlib
import json
import os
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from tfimg.data.photos import pictures_under, read_rgb
from tfimg.files import check_picture, read_picture
from tfimg.pixels import to_uint8


class PictureFolder(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """Pictures of a local folder, prepared once and then read at full speed.

    What comes with the pictures depends on the folder:

    - with `.jsonl` files in it (or where `folder` is such a file), their rows name the pictures:
      `{"file": "icons/1.png", "name": "sun", "caption": "icon of a sun", "caption_zh": …}`, with
      `file` relative to the `.jsonl` file. Each column becomes a feature: strings, numbers, true
      or false, and lists of strings; what a row lacks is "", 0, false or empty;
    - with all pictures in subfolders, the subfolder is the class: feature `label`;
    - otherwise there are only pictures.

    The features `image` (uint8) and `file` are always there. A tenth of the names, chosen by their
    hash, makes the split "test", the others make "train"; all pictures of one `name`, in whatever
    style and folder, are in the same split. Pictures without a name are split by their path.
    Files that cannot be read are left out with a warning.

    Each folder has its own configuration, named after the folder and its state, so a changed
    folder is prepared anew. What has been prepared can be read without this class as the data set
    `picture_folder/CONFIGURATION`, with CONFIGURATION being `builder.builder_config.name`.

    Args:
        folder: Folder, searched with its subfolders, or a `.jsonl` file.
        channels: 3 for RGB, what is transparent becoming white; 4 to keep alpha, which is 255
            for pictures that have none.
        data_dir: Where the prepared data is kept, by default `~/tensorflow_datasets`.
        **kwargs: For `tfds.core.GeneratorBasedBuilder`, such as `file_format`.

    Raises:
        FileNotFoundError: If the folder or a picture named in a row does not exist.
        ValueError: If there are no pictures, some lie in subfolders and some do not, a row is
            broken or names a picture twice, or `channels` is neither 3 nor 4.

    Example:
        >>> builder = PictureFolder("captioned/icons.jsonl")
        >>> builder.download_and_prepare()
        >>> train = builder.as_dataset(split="train")
    """

    VERSION = tfds.core.Version("1.0.0")

    def __init__(
        self,
        folder: str | os.PathLike,
        *,
        channels: int = 3,
        data_dir: str | os.PathLike | None = None,
        **kwargs: Any,
    ):
        if channels not in (3, 4):
            raise ValueError(f"channels is {channels}; expected 3 (RGB) or 4 (RGBA)")
        folder = Path(folder)
        self._channels = channels
        self._columns: dict[str, Any] = {}
        tables = [folder] if folder.suffix == ".jsonl" else sorted(folder.glob("*.jsonl"))
        if tables:
            self._root = folder.parent if folder.suffix == ".jsonl" else folder
            self._rows = _read_tables(tables)
            self._columns = _columns(self._rows, tables[0])
        else:
            self._root = folder
            self._rows = [
                {"file": path.relative_to(folder).as_posix()} for path in pictures_under(folder)
            ]
            self._label_by_subfolder(folder)
        config = tfds.core.BuilderConfig(
            name=self._config_name(folder), description=f"Pictures of {folder.name}."
        )
        super().__init__(data_dir=data_dir, config=config, **kwargs)

    def _label_by_subfolder(self, folder: Path) -> None:
        labels = [row["file"].split("/")[0] if "/" in row["file"] else None for row in self._rows]
        if not any(labels):
            return
        if not all(labels):
            raise ValueError(
                f"{folder}: {self._rows[labels.index(None)]['file']!r} lies beside subfolders with "
                "pictures; expected all pictures in subfolders (one a class) or none"
            )
        for row, label in zip(self._rows, labels, strict=True):
            row["label"] = label
        self._columns = {"label": tfds.features.ClassLabel(names=sorted(set(labels)))}

    def _config_name(self, folder: Path) -> str:
        """The folder's name and a digest of everything that the prepared data depends on."""
        digest = hashlib.sha256(f"{folder.resolve()} {self._channels}".encode())
        for row in self._rows:
            state = (self._root / row["file"]).stat()
            digest.update(json.dumps([row, state.st_size, state.st_mtime_ns]).encode())
        name = re.sub(r"[^a-z0-9]+", "_", folder.resolve().stem.lower()).strip("_") or "pictures"
        return f"{name}_{digest.hexdigest()[:12]}"

    def _info(self) -> tfds.core.DatasetInfo:
        image = tfds.features.Image(shape=(None, None, self._channels), encoding_format="png")
        features = {"image": image, "file": tfds.features.Text(), **self._columns}
        return tfds.core.DatasetInfo(
            builder=self,
            description="Pictures of a local folder.",
            features=tfds.features.FeaturesDict(features),
            supervised_keys=("image", "label") if "label" in features else None,
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        rows = {"train": [], "test": []}
        for row in self._rows:
            try:
                check_picture(self._root / row["file"])
            except (ValueError, OSError) as error:
                warnings.warn(f"left out {error}", stacklevel=2)
                continue
            rows["test" if held_out(str(row.get("name") or row["file"])) else "train"].append(row)
        # TensorFlow Datasets takes no empty splits, which is why broken files go before they are.
        splits = {split: self._generate_examples(rows[split]) for split in rows if rows[split]}
        if not splits:
            raise ValueError(f"{self._root}: none of its {len(self._rows)} pictures can be read")
        return splits

    def _generate_examples(self, rows: list[dict]) -> Iterator[tuple[str, dict]]:
        for row in rows:
            columns = {name: row[name] for name in self._columns}
            image = self._read(self._root / row["file"])
            yield row["file"], {"image": image, "file": row["file"], **columns}

    def _read(self, path: Path) -> np.ndarray:
        if self._channels == 3:
            return read_rgb(path)
        picture = read_picture(path)
        alpha = picture.alpha
        if alpha is None:
            alpha = np.full_like(picture.pixels[..., 0], np.iinfo(picture.pixels.dtype).max)
        rgb, alpha = to_uint8(picture.pixels), to_uint8(np.dstack([alpha] * 3))
        return np.dstack([rgb, alpha[..., :1]])


def held_out(name: str) -> bool:
    """Whether a name belongs to the tenth that is tested with."""
    digest = hashlib.sha256(name.strip().casefold().encode()).digest()
    return int.from_bytes(digest[:8], "big") % 10 == 0


def _read_tables(tables: list[Path]) -> list[dict]:
    """The rows of `.jsonl` files in one folder; each has a picture that exists, and its own."""
    rows = {}
    for table in tables:
        if not table.is_file():
            raise FileNotFoundError(f"{table}: no such file")
        for number, line in enumerate(table.read_text("utf-8").split("\n"), start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except json.JSONDecodeError as error:
                raise ValueError(f"{table}, line {number}: is no JSON ({error.msg})") from None
            file = row.get("file") if isinstance(row, dict) else None
            if not isinstance(file, str) or not file:
                raise ValueError(f"{table}, line {number}: expected an object with a string 'file'")
            if file in rows:
                raise ValueError(f"{table}, line {number}: names {file!r} a second time")
            if not (table.parent / file).is_file():
                raise FileNotFoundError(f"{table}, line {number}: no such picture {file!r}")
            rows[file] = row
    if not rows:
        raise ValueError(f"{tables[0]}: holds no rows")
    return list(rows.values())


def _columns(rows: list[dict], table: Path) -> dict[str, Any]:
    """A feature for each column but `file`; fills in what rows lack, in place."""
    features = {}
    for column in sorted({key for row in rows for key in row} - {"file"}):
        if column == "image":
            raise ValueError(f"{table}: a column is called 'image', which is the picture's name")
        kinds = {type(row[column]) for row in rows if row.get(column) is not None} or {str}
        if kinds == {int, float}:
            kinds = {float}
        (kind,) = kinds if len(kinds) == 1 else (None,)
        if kind is list and all(
            isinstance(item, str) for row in rows for item in row.get(column) or []
        ):
            features[column] = tfds.features.Sequence(tfds.features.Text())
        elif kind in _FEATURES:
            features[column] = _FEATURES[kind]()
        else:
            found = ", ".join(sorted(kind.__name__ for kind in kinds))
            raise ValueError(
                f"{table}: column {column!r} holds {found}; expected strings, numbers, true or "
                "false, or lists of strings"
            )
        for row in rows:
            if row.get(column) is None:
                row[column] = kind()
    return features


_FEATURES = {
    str: tfds.features.Text,
    bool: lambda: tfds.features.Scalar(np.bool_),
    int: lambda: tfds.features.Scalar(np.int64),
    float: lambda: tfds.features.Scalar(np.float32),
}
