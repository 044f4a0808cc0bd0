"""Damage: scratches, creases, holes and scribbles on a print."""

import math
from dataclasses import dataclass

from keras import ops

from tfimg.degradations.fields import grid, per_image, smooth_noise, uniform
from tfimg.degradations.seeds import as_seeds

_SCRATCHES = 6
_CREASES = 2
_HOLES = 4
_PENS = 2
_STROKES = 10
# Positions are drawn over at least this many pixels, so that a small crop of a photo is not
# crowded with what a whole photo would carry.
_CANVAS = 256
_PAPER = (1.0, 0.98, 0.94)
_BACKING = (0.85, 0.70, 0.52)


def damage(images, severity, seed):
    """Damages a print with scratches, creases, holes and scribbles.

    Args:
        images: float tensor `(B, H, W, 3)`, 0..1.
        severity: float tensor `(B,)`, 0..1: how many, how wide.
        seed: int, integer tensor `(2,)` or `StatelessSeeds`.

    Returns:
        float32 tensor `(B, H, W, 3)`.
    """
    return damage_with_mask(images, severity, seed)[0]


def damage_with_mask(images, severity, seed):
    """Damages a print and says where.

    Args:
        images: float tensor `(B, H, W, 3)`, 0..1.
        severity: float tensor `(B,)`, 0..1.
        seed: int, integer tensor `(2,)` or `StatelessSeeds`.

    Returns:
        The damaged pictures, float32 `(B, H, W, 3)`, and `known`, float32 `(B, H, W, 1)`: 1 where
        the picture is intact, 0 where it was destroyed.
    """
    seeds = as_seeds(seed)
    batch, height, width, _ = ops.shape(images)
    canvas = _Canvas(
        batch=batch,
        height=height,
        width=width,
        severity=per_image(severity),
        coarse=_noise(seeds, batch, height, width, 24),
        medium=_noise(seeds, batch, height, width, 10),
        fine=_noise(seeds, batch, height, width, 4),
    )
    # One kind is always there; each other kind joins one picture in three.
    joins = uniform(seeds, (batch, 4)) < 0.33
    first = ops.one_hot(ops.cast(uniform(seeds, (batch,), 0.0, 3.999), "int32"), 4)
    kinds = ops.reshape(ops.maximum(ops.cast(joins, "float32"), first), (-1, 4, 1, 1, 1))

    known = ops.ones_like(images[..., :1])
    for index, draw in enumerate((_creases, _scratches, _holes, _scribbles)):
        alpha, colour, shade = draw(seeds.fold(index), canvas)
        present = kinds[:, index]
        alpha = present * _as_image(alpha)
        images = images * (1.0 - present * _as_image(shade)) if shade is not None else images
        images = images + alpha * (colour - images)
        known = known * ops.cast(alpha < 0.05, "float32")
    return images, known


@dataclass
class _Canvas:
    """What all kinds of damage share. Fields are `(B, 1, H, W)`: items go on axis 1."""

    batch: int
    height: int
    width: int
    severity: object
    coarse: object
    medium: object
    fine: object

    def grid(self):
        y, x = grid(self.height, self.width)
        return ops.reshape(y, (1, 1, -1, 1)), ops.reshape(x, (1, 1, 1, -1))

    def centres(self, seeds, count):
        """Draws points; the first lies inside the picture, whatever the picture's size."""
        inside = ops.reshape(ops.cast(ops.arange(count) == 0, "float32"), (1, -1, 1, 1))
        points = []
        for size in (self.height, self.width):
            size = ops.cast(size, "float32")
            spread = inside * 0.7 * size + (1.0 - inside) * ops.maximum(size, float(_CANVAS))
            offset = uniform(seeds, (self.batch, count, 1, 1), -0.5, 0.5)
            points.append(size / 2.0 + offset * spread)
        return points

    def lines(self, seeds, count):
        """Returns pixel coordinates along and across `count` random straight lines."""
        y, x = self.grid()
        cy, cx = self.centres(seeds, count)
        angle = uniform(seeds, (self.batch, count, 1, 1), 0.0, math.pi)
        cos, sin = ops.cos(angle), ops.sin(angle)
        # The affine form costs two full-size operations where rotating the offsets costs five.
        along = (x * cos - (cx * cos + cy * sin)) + y * sin
        across = y * cos - (x * sin + (cy * cos - cx * sin))
        return along, across

    def active(self, count, least=1):
        """Weights of the items: the first `least` at severity 0, all `count` at severity 1."""
        index = ops.reshape(ops.cast(ops.arange(count), "float32"), (1, -1, 1, 1))
        return ops.cast(index < least + self.severity * (count - least + 0.01), "float32")


def _noise(seeds, batch, height, width, scale):
    return ops.transpose(smooth_noise(seeds, batch, height, width, scale), (0, 3, 1, 2))


def _as_image(items):
    """Joins `(B, items, H, W)` coverages into `(B, H, W, 1)`."""
    return ops.max(items, axis=1)[..., None]


def _creases(seeds, canvas):
    """Folds: a broken bright core where the emulsion cracked, shaded on both sides."""
    _, across = canvas.lines(seeds, _CREASES)
    active = canvas.active(_CREASES)
    distance = ops.abs(across + 1.5 * canvas.coarse + 0.5 * canvas.medium)
    half_width = 0.2 + canvas.severity + 0.25 * canvas.fine + 0.4 * canvas.coarse
    alpha = ops.clip(half_width + 0.5 - distance, 0.0, 1.0) * active
    shade = (0.35 * active) * ops.exp(distance / (-1.5 - 2.0 * canvas.severity))
    paper = uniform(seeds, (canvas.batch, 1, 1, 1), 0.75, 1.0)
    return alpha, paper * ops.convert_to_tensor(_PAPER), shade


def _scratches(seeds, canvas):
    """Long thin scratches, slightly curved, and the specks that come with them."""
    shape = (canvas.batch, _SCRATCHES, 1, 1)
    along, across = canvas.lines(seeds, _SCRATCHES)
    bend = uniform(seeds, shape, -6e-4, 6e-4)
    length = uniform(seeds, shape, 40.0, 220.0)
    half_width = uniform(seeds, shape, 0.2, 0.6) + 0.5 * canvas.severity
    squared = along * along
    distance = ops.abs(across - bend * squared + 0.4 * canvas.medium)
    # A scratch thins towards its ends and skips where the print is uneven.
    inside = squared < length * length
    taper = half_width * (1.0 - squared / (length * length)) + 0.5
    lines = ops.clip(taper - distance, 0.0, 1.0) * ops.cast(inside, "float32")
    lines = ops.max(lines * canvas.active(_SCRATCHES, 2), axis=1, keepdims=True)
    lines = lines * ops.clip(1.6 + canvas.coarse, 0.0, 1.0)
    specks = ops.clip(3.0 * (canvas.fine - 2.6 + 0.6 * canvas.severity), 0.0, 1.0)
    is_light = uniform(seeds, (canvas.batch, 1, 1, 1)) < 0.75
    return ops.maximum(lines, specks), ops.where(is_light, 0.92, 0.08), None


def _holes(seeds, canvas):
    """Torn patches: ragged, with a rim of white fibres round the backing, and a soft shadow."""
    y, x = canvas.grid()
    cy, cx = canvas.centres(seeds, _HOLES)
    shape = (canvas.batch, _HOLES, 1, 1)
    radius = uniform(seeds, shape, 6.0, 16.0) * (0.7 + 0.8 * canvas.severity)
    stretch = uniform(seeds, shape, 0.4, 2.5)
    distance = ops.sqrt(ops.square(x - cx) * stretch + ops.square(y - cy) / stretch)
    ragged = 1.0 + 0.3 * canvas.coarse + 0.14 * canvas.medium
    edge = radius * ragged - distance - 1e4 * (1.0 - canvas.active(_HOLES))
    edge = ops.max(edge, axis=1, keepdims=True) + 0.9 * canvas.fine
    alpha = ops.clip(edge + 0.5, 0.0, 1.0)
    shade = 0.3 * ops.exp(ops.minimum(edge, 0.0) / 2.5)

    backing_share = ops.clip((_as_image(edge) - 2.0 - _as_image(canvas.medium)) / 2.0, 0.0, 1.0)
    texture = 0.02 * _as_image(canvas.fine)
    tint = 1.0 - uniform(seeds, (canvas.batch, 1, 1, 1)) * (1.0 - ops.convert_to_tensor(_BACKING))
    is_dark = uniform(seeds, (canvas.batch, 1, 1, 1)) < 0.25
    backing = tint * ops.where(is_dark, 0.15, uniform(seeds, (canvas.batch, 1, 1, 1), 0.6, 0.95))
    fibres = 0.94 * ops.convert_to_tensor(_PAPER)
    return alpha, fibres + backing_share * (backing - fibres) + texture, shade


def _scribbles(seeds, canvas):
    """Pen strokes: wandering lines of one colour, with unsteady edges."""
    y, x = canvas.grid()
    y, x = y + 1.5 * canvas.coarse, x + 1.5 * canvas.medium
    cy, cx = canvas.centres(seeds, _PENS)
    shape = (canvas.batch, _PENS, _STROKES, 1, 1)
    # Mostly turning one way makes loops; a change of mind makes a zigzag.
    turns = uniform(seeds, (canvas.batch, _PENS, 1, 1, 1), -0.6, 0.6) + uniform(
        seeds, shape, -0.6, 0.6
    )
    heading = uniform(seeds, (canvas.batch, _PENS, 1, 1, 1), 0.0, 2.0 * math.pi)
    heading = heading + ops.cumsum(turns, axis=2)
    step = uniform(seeds, shape, 8.0, 18.0)
    dy, dx = step * ops.sin(heading), step * ops.cos(heading)
    nearest = 1e9
    for stroke in range(_STROKES):
        sy, sx = dy[:, :, stroke], dx[:, :, stroke]
        ry, rx = y - cy, x - cx
        t = ops.clip((rx * sx + ry * sy) / (sx * sx + sy * sy), 0.0, 1.0)
        nearest = ops.minimum(nearest, ops.square(rx - t * sx) + ops.square(ry - t * sy))
        cy, cx = cy + sy, cx + sx
    half_width = uniform(seeds, (canvas.batch, _PENS, 1, 1), 0.8, 2.0) * (1.0 + canvas.severity)
    alpha = ops.clip(half_width + 0.5 - ops.sqrt(nearest), 0.0, 1.0) * canvas.active(_PENS)
    return alpha, _pen_colours(seeds, canvas.batch), None


def _pen_colours(seeds, batch):
    """Draws saturated ink colours, one a picture: one strong, one weak channel, black at times."""
    hue = uniform(seeds, (batch, 1, 1, 1)) + ops.convert_to_tensor([0.0, 1.0 / 3.0, 2.0 / 3.0])
    ink = 0.5 + 0.5 * ops.cos(2.0 * math.pi * hue)
    return ink * ops.minimum(uniform(seeds, (batch, 1, 1, 1), 0.0, 2.5), 0.95)
