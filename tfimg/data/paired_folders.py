"""Restoration pairs as the public sets distribute them: two folders with matching names."""

import os
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfimg.data.photos import pictures_under, read_rgb

# Words in the names of published pairs that say which of the two a file is.
_INPUT_WORDS = "rain rainy haze hazy low blur blurry noise noisy real degraded lq input inputs"
_TARGET_WORDS = "norain clear clean high normal sharp mean gt groundtruth target targets"
_ROLE = re.compile(
    r"[-_. ]*(?<![^\W\d_])(?:({})|({}))(?![^\W\d_])".format(
        _INPUT_WORDS.replace(" ", "|"), _TARGET_WORDS.replace(" ", "|")
    )
)
_PARAMETER = re.compile(r"_[a-z]?\d+(\.\d+)?$")
# GoPro renders each blur twice; published scores use the other folder, `blur`.
_LEFT_OUT = "blur_gamma"


@dataclass(frozen=True)
class Pair:
    """A degraded picture and what it should look like.

    Attributes:
        input_path: The degraded picture.
        target_path: The clean one.
        name: Path of the input below its folder, with forward slashes; no two pairs share one.
    """

    input_path: Path
    target_path: Path
    name: str


def pairs_from_folders(inputs: str | os.PathLike, targets: str | os.PathLike) -> list[Pair]:
    """Pairs the degraded pictures of one folder with the clean ones of another.

    Both folders are searched with their subfolders. A target belongs to an input when their
    paths below the two folders are equal after the first of these steps that finds one
    (suffixes and upper case never count):

    1. as they are: LOL `low/1.png`, `high/1.png`; Rain100L `rainy/1.png`, `gt/1.png`;
    2. without words that name a role (rain, norain, low, normal, blur, sharp, real, mean, …):
       Rain100L `rain-001.png`, `norain-001.png`; LOL-v2 `low00690.png`, `normal00690.png`;
       PolyU `desk_4_real.JPG`, `desk_4_mean.JPG`; GoPro `GOPR0384/blur/1.png`,
       `GOPR0384/sharp/1.png`;
    3. and without the last `_number` of the input, then the one before, and so on, so that many
       inputs may share a target: SOTS `0001_0.8_0.2.jpg`, `0001.png`; DDN-Data `901_14.jpg`,
       `901.jpg`; Outdoor-Rain `im_0001_s80_a04.png`, `im_0001.png`.

    The two folders may be the same one, or one may lie inside the other. The last role word in
    the path then decides on which side a file is. (GoPro's second rendering, `blur_gamma`, is
    left out there.) Targets without an input are ignored.

    Args:
        inputs: Folder with the degraded pictures.
        targets: Folder with the clean ones.

    Returns:
        The pairs, sorted by input path.

    Raises:
        FileNotFoundError: If a folder does not exist.
        ValueError: If a folder holds no pictures, or an input has no target, or two.

    Example:
        >>> pairs_from_folders("LOL/eval15/low", "LOL/eval15/high")[0].name
        '1.png'
    """
    inputs, targets = Path(inputs), Path(targets)
    input_files, target_files = _sides(inputs, targets)
    by_stem, by_key = defaultdict(list), defaultdict(list)
    for path in target_files:
        stem = _stem(path.relative_to(targets))
        by_stem[stem].append(path)
        by_key[_without_roles(stem)].append(path)

    pairs = []
    for path in input_files:
        name = path.relative_to(inputs)
        key = _without_roles(_stem(name))
        found = by_stem.get(_stem(name)) or by_key.get(key)
        while not found and _PARAMETER.search(key):
            key = _PARAMETER.sub("", key)
            found = by_key.get(key)
        if not found:
            raise ValueError(f"input {path} has no target in {targets}")
        if len(found) > 1:
            raise ValueError(f"input {path} has two targets: {found[0]} and {found[1]}")
        pairs.append(Pair(path, found[0], name.as_posix()))
    return pairs


def read_pair(pair: Pair) -> tuple[np.ndarray, np.ndarray]:
    """Reads both pictures of a pair.

    Args:
        pair: From `pairs_from_folders`.

    Returns:
        Input and target, (H, W, 3) uint8 each.

    Raises:
        FileNotFoundError, ValueError: If one cannot be read, or their sizes differ.
    """
    source, target = read_rgb(pair.input_path), read_rgb(pair.target_path)
    if source.shape != target.shape:
        raise ValueError(
            f"input {pair.input_path} has {source.shape[1]}x{source.shape[0]} pixels, its target "
            f"{pair.target_path} {target.shape[1]}x{target.shape[0]}; expected equal sizes"
        )
    return source, target


def _stem(relative: Path) -> str:
    return relative.with_suffix("").as_posix().casefold()


def _without_roles(stem: str) -> str:
    parts = (_ROLE.sub("", part).strip("-_. ") for part in stem.split("/"))
    return "/".join(part for part in parts if part)


def _sides(inputs: Path, targets: Path) -> tuple[list[Path], list[Path]]:
    """The files of two folders; what lies in both goes where its name says."""
    input_files, target_files = pictures_under(inputs), pictures_under(targets)
    roots = sorted((inputs.resolve(), targets.resolve()), key=lambda root: len(root.parts))
    if not roots[1].is_relative_to(roots[0]):
        return input_files, target_files

    def place(path: Path, folder: Path) -> Path:
        # Where a file is, not what it links to, which may lie anywhere and be called anything.
        return folder.resolve() / path.relative_to(folder)

    def is_target(path: Path, folder: Path) -> bool | None:
        roles = list(_ROLE.finditer(_stem(place(path, folder).relative_to(roots[0]))))
        return bool(roles[-1][2]) if roles else None

    input_files = [
        path for path in input_files if not is_target(path, inputs) and _LEFT_OUT not in path.parts
    ]
    target_files = [path for path in target_files if is_target(path, targets) is not False]
    both = {place(path, inputs) for path in input_files}
    both &= {place(path, targets) for path in target_files}
    if both:
        raise ValueError(
            f"{min(both)}: neither input nor target by its name; expected a word such as "
            "'noisy' or 'clean' in it, or two separate folders"
        )
    if not input_files:
        raise ValueError(f"{inputs}: every picture in it is a target by its name")
    return input_files, target_files
