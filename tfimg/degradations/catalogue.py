"""The catalogue of degradations: names, what they do, and mixtures of them."""

from collections.abc import Callable
from dataclasses import dataclass

from keras import ops

from tfimg.degradations.blur import blur
from tfimg.degradations.colour import faded
from tfimg.degradations.compression import compression
from tfimg.degradations.damage import damage, damage_with_mask
from tfimg.degradations.light import low_light
from tfimg.degradations.noise import noise
from tfimg.degradations.resolution import low_resolution
from tfimg.degradations.seeds import as_seeds
from tfimg.degradations.weather import haze, rain

NAMES = (
    "noise",
    "blur",
    "compression",
    "low_resolution",
    "low_light",
    "faded",
    "rain",
    "haze",
    "damage",
)
INTENTS = (*NAMES, "none")

# The order in which a picture meets them: scene, air, lens, sensor, file, print.
PHYSICAL_ORDER = (
    "faded",
    "low_light",
    "haze",
    "rain",
    "blur",
    "low_resolution",
    "noise",
    "compression",
    "damage",
)


@dataclass(frozen=True)
class Degradation:
    """One entry of the catalogue.

    Args:
        name: one of `NAMES`.
        apply: `(images, severity, seed) -> images`; its docstring says how it is simulated.
        english: what people call it in English.
    """

    name: str
    apply: Callable
    english: str


CATALOGUE = {
    entry.name: entry
    for entry in (
        Degradation("noise", noise, "noise"),
        Degradation("blur", blur, "blur"),
        Degradation("compression", compression, "JPEG compression"),
        Degradation("low_resolution", low_resolution, "low resolution"),
        Degradation("low_light", low_light, "low light"),
        Degradation("faded", faded, "faded colours"),
        Degradation("rain", rain, "rain"),
        Degradation("haze", haze, "haze"),
        Degradation("damage", damage, "damage"),
    )
}


def degrade(images, present, severity, seed):
    """Applies a mixture of degradations, each picture its own, in physical order.

    What one degradation draws depends on `seed` and on its own name alone: leaving another out
    gives the same rain streaks and the same noise. An absent degradation costs nothing.

    Args:
        images: float tensor `(B, H, W, 3)`, 0..1.
        present: bool tensor `(B, 9)`, in the order of `NAMES`.
        severity: float tensor `(B, 9)`, 0..1.
        seed: int, integer tensor `(2,)` or `StatelessSeeds`.

    Returns:
        The degraded pictures, float32 `(B, H, W, 3)` (Gaussian noise may leave 0..1), and `known`,
        float32 `(B, H, W, 1)`: 0 where damage destroyed a pixel, 1 elsewhere.

    Example:

    ```python
    present = [[name in ("rain", "noise") for name in NAMES]]
    degraded, known = degrade(images, present, 0.5 * np.ones((1, 9)), seed=0)
    ```
    """
    images = ops.cast(images, "float32")
    present = ops.cast(present, "bool")
    severity = ops.cast(severity, "float32")
    seeds = as_seeds(seed)
    known = ops.ones_like(images[..., :1])
    for name in PHYSICAL_ORDER:
        index = NAMES.index(name)
        apply = damage_with_mask if name == "damage" else _intact(CATALOGUE[name].apply)
        images, known = _where_present(
            apply, images, known, present[:, index], severity[:, index], seeds.fold(index)
        )
    return images, known


def _intact(apply):
    return lambda images, severity, seed: (apply(images, severity, seed), None)


def _where_present(apply, images, known, present, severity, seeds):
    mask = ops.reshape(present, (-1, 1, 1, 1))

    def applied():
        degraded, still_known = apply(images, severity, seeds)
        still_known = known if still_known is None else ops.where(mask, still_known, known)
        return ops.where(mask, degraded, images), still_known

    return ops.cond(ops.any(present), applied, lambda: (images, known))
