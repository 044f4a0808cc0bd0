"""Evaluation protocols: fixed degradations, one picture at a time, the same on every machine."""

import io
import zlib
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

import numpy as np
from keras import ops
from PIL import Image

from tfimg.degradations.blur import convolve, gaussian_kernels
from tfimg.degradations.catalogue import CATALOGUE, PHYSICAL_ORDER
from tfimg.degradations.damage import damage_with_mask
from tfimg.degradations.seeds import StatelessSeeds

_DEFAULT_SEVERITY = 0.5
FORMS = (
    "clean",
    "noise:S",
    "noise:S:camera",
    "compression:Q",
    "low_resolution:K",
    "blur[:SIGMA]",
    "low_light[:SEVERITY]",
    "faded[:SEVERITY]",
    "rain[:SEVERITY]",
    "haze[:SEVERITY]",
    "damage[:SEVERITY]",
)


@dataclass(frozen=True)
class _Part:
    name: str
    label: str
    apply: Callable


@dataclass(frozen=True)
class Protocol:
    """A fixed degradation, or a mixture of them, for evaluation.

    Attributes:
        name: what `parse` was given, e.g. `"rain+noise:25"`.
        label: the same for people to read, e.g. `"rain 0.5 + noise 25"`.
        degradations: names from `NAMES`, a frozenset.

    Example:

    ```python
    protocol = parse("rain+noise:25")
    degraded = protocol.apply(image, index=0)
    only_noise = protocol.apply(image, index=0, without={"rain"})
    ```
    """

    name: str
    label: str
    degradations: frozenset[str]
    _parts: tuple[_Part, ...] = field(repr=False)

    def apply(self, image: np.ndarray, index: int, without: Collection[str] = ()) -> np.ndarray:
        """Degrades one picture.

        Args:
            image: float array `(H, W, 3)`, 0..1.
            index: the picture's place in its data set; it fixes all random numbers.
            without: names from `degradations` to leave out; the others draw the same numbers as
                before.

        Returns:
            float32 array `(H, W, 3)`; `noise:S` may leave 0..1.

        Raises:
            ValueError: if `without` names what the protocol does not have.
        """
        return self.apply_with_mask(image, index, without)[0]

    def apply_with_mask(
        self, image: np.ndarray, index: int, without: Collection[str] = ()
    ) -> tuple[np.ndarray, np.ndarray]:
        """Degrades as `apply` does; also returns `known`, float32 `(H, W, 1)`, 1 where intact."""
        unknown = set(without) - self.degradations
        if unknown:
            raise ValueError(
                f"without names {sorted(unknown)}, "
                f"but {self.name!r} has {sorted(self.degradations)}"
            )
        image = np.asarray(image, "float32")
        known = np.ones((*image.shape[:2], 1), "float32")
        for part in self._parts:
            if part.name not in without:
                image, intact = part.apply(image, index)
                known = known if intact is None else intact
        return image, known


def parse(text: str) -> Protocol:
    """Reads a protocol's name.

    Forms:

    - `clean`: nothing is done;
    - `noise:S`: Gaussian, S/255, added in float, neither clipped nor rounded;
    - `noise:S:camera`: the same, then clipped and rounded to 8 bit;
    - `compression:Q`: a real JPEG file of quality Q, 4:2:0;
    - `low_resolution:K`: antialiased bicubic down by K, to whole pixels rounded up, and back up
      (crop to a multiple of K first to match published figures);
    - `blur`: one of the training kernels; `blur:SIGMA`: a round Gaussian, SIGMA pixels, at most 5;
    - `low_light`, `faded`, `rain`, `haze`, `damage`: the training operation at severity 0.5, or at
      the one given after a colon, 0..1. Its random numbers are those of the TensorFlow backend.

    Parts joined with `+` are a mixture, applied in physical order whatever the order written.

    Args:
        text: e.g. `"noise:25"`, `"rain:0.8+noise:25"`.

    Returns:
        The `Protocol`.

    Raises:
        ValueError: if the name is not one of these forms.
    """
    if text == "clean":
        return Protocol(text, text, frozenset(), ())
    parts = [_parse_part(part.strip(), text) for part in text.split("+")]
    names = [part.name for part in parts]
    if len(set(names)) < len(names):
        raise ValueError(f"protocol {text!r} names a degradation twice")
    parts.sort(key=lambda part: PHYSICAL_ORDER.index(part.name))
    label = " + ".join(part.label for part in parts)
    return Protocol(text, label, frozenset(names), tuple(parts))


def _parse_part(part: str, text: str) -> _Part:
    name, *options = part.split(":")
    error = ValueError(f"unknown protocol {part!r} in {text!r}; known: {', '.join(FORMS)}")
    if name not in CATALOGUE:
        raise error
    camera = name == "noise" and options[1:] == ["camera"]
    if len(options) > (2 if camera else 1):
        raise error
    if not options and name in ("noise", "compression", "low_resolution"):
        raise error
    try:
        value = float(options[0]) if options else None
    except ValueError:
        raise error from None
    low, high, whole = _RANGES.get(name, (0.0, 1.0, False))
    if value is not None and (not low <= value <= high or (whole and value % 1)):
        kind = "a whole number" if whole else "a number"
        raise ValueError(
            f"protocol {part!r}: expected {kind} from {low:g} to {high:g}, found {options[0]}"
        )
    label = name.replace("_", " ") + (f" {value:g}" if value is not None else "")
    return _Part(name, label + (" camera" if camera else ""), _applier(name, value, camera))


_RANGES = {
    "noise": (0.0, 255.0, False),
    "compression": (1, 100, True),
    "low_resolution": (2, 16, True),
    "blur": (0.1, 5.0, False),
}


def _applier(name: str, value: float | None, camera: bool) -> Callable:
    if name == "noise":
        return lambda image, index: (_add_noise(image, index, value, camera), None)
    if name == "compression":
        return lambda image, index: (_save_jpeg(image, int(value)), None)
    if name == "low_resolution":
        return lambda image, index: (_shrink(image, int(value)), None)
    if name == "blur" and value is not None:
        return lambda image, index: (_gaussian_blur(image, value), None)
    severity = _DEFAULT_SEVERITY if value is None else value
    return lambda image, index: _run_training_op(name, image, index, severity)


def _add_noise(image, index, level, camera):
    generator = np.random.RandomState(index)
    image = image + (level / 255.0) * generator.standard_normal(image.shape).astype("float32")
    return (np.round(np.clip(image, 0, 1) * 255) / 255 if camera else image).astype("float32")


def _save_jpeg(image, quality):
    file = io.BytesIO()
    levels = np.round(np.clip(image, 0, 1) * 255).astype("uint8")
    Image.fromarray(levels).save(file, "JPEG", quality=quality, subsampling="4:2:0")
    return np.asarray(Image.open(file), "float32") / 255


def _shrink(image, factor):
    height, width = image.shape[:2]
    small = -(-width // factor), -(-height // factor)
    planes = []
    for channel in range(image.shape[2]):
        plane = Image.fromarray(np.ascontiguousarray(image[..., channel], "float32"))
        plane = plane.resize(small, Image.Resampling.BICUBIC)
        planes.append(np.asarray(plane.resize((width, height), Image.Resampling.BICUBIC)))
    return np.stack(planes, -1)


def _gaussian_blur(image, sigma):
    kernel = gaussian_kernels(np.full((1, 1, 1), sigma, "float32"))
    return ops.convert_to_numpy(convolve(image[None], kernel / ops.sum(kernel)))[0]


def _run_training_op(name, image, index, severity):
    seed = StatelessSeeds(np.array([zlib.crc32(name.encode()) % 2**31, index], "int64"))
    severity = np.full((1,), severity, "float32")
    if name == "damage":
        degraded, known = damage_with_mask(image[None], severity, seed)
        return ops.convert_to_numpy(degraded)[0], ops.convert_to_numpy(known)[0]
    degraded = CATALOGUE[name].apply(ops.convert_to_tensor(image[None]), severity, seed)
    return ops.convert_to_numpy(degraded)[0], None
