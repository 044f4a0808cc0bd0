"""Pictures with words, in memory: drawn, put on a background and put into words by step number."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds
from PIL import Image

from tfimg.pixels import middle, on_background
from tfimg.text.prompts import BACKGROUNDS, STYLES, prompt

# Numbers that decide what the words leave open.
CHANCES = 8
# How far an unnamed background may be from white in each of its colours, of 255.
_DEEPEST = 70


@dataclass(frozen=True)
class Wording:
    """How often pictures are put into words in each way.

    Args:
        chinese: share of prompts in Chinese, where a row has Chinese words.
        keyword: share of prompts that hold keywords in the place of the name.
        caption: share of prompts that are the row's caption.
        style: share of the other prompts that name the style.
        background: share of pictures on a background that the words name; the others are on a
            pale one of any colour, which they do not.
        mirrored: share of pictures that are mirrored, of those that may be.
    """

    chinese: float = 0.4
    keyword: float = 0.15
    caption: float = 0.15
    style: float = 0.9
    background: float = 0.35
    mirrored: float = 0.5


@dataclass(frozen=True, eq=False)
class Captioned:
    """Captioned pictures in memory.

    Args:
        pictures: uint8 `(N, S, S, 4)`, RGBA.
        rows: what is known of each: `name`, `keywords`, `caption`, each also as `…_zh`, and
            `style`; strings, and lists of strings; "" or empty where there is nothing.
        weights: `(N,)`, how often each is drawn; together 1.
    """

    pictures: np.ndarray
    rows: list[dict]
    weights: np.ndarray

    def draw(
        self, count: int, wording: Wording, rng: np.random.Generator
    ) -> tuple[np.ndarray, list[str], np.ndarray]:
        """Draws pictures, words for them, and what the words leave open.

        Args:
            count: how many.
            wording: how they are put into words.
            rng: where chance comes from.

        Returns:
            uint8 `(count, S, S, 3)`, `count` prompts, and float32 `(count, CHANCES)`, uniform in
            0..1, which decided what the words leave open (see `picture`).
        """
        chosen = rng.choice(len(self.rows), count, p=self.weights)
        chances = rng.random((count, CHANCES), np.float32)
        pictures, prompts = [], []
        for place, chance in zip(chosen, chances, strict=True):
            colour = None
            opaque = self.pictures[place, ..., 3].min() == 255
            if not opaque and rng.random() < wording.background:
                colour = rng.choice(list(BACKGROUNDS))
            pictures.append(self.picture(place, colour, chance, wording.mirrored))
            prompts.append(put_into_words(self.rows[place], colour, wording, rng))
        return np.stack(pictures), prompts, chances

    def picture(
        self, place: int, colour: str | None, chances: np.ndarray, mirrored: float = 0.0
    ) -> np.ndarray:
        """Returns one picture on a background, varied by chance where no word says how it is.

        Args:
            place: number of the picture.
            colour: of the background, or None for a pale one of any colour.
            chances: `(CHANCES,)` in 0..1: whether it is mirrored; how strong its colours are; how
                bright its red, green and blue; and those of the background.
            mirrored: share of pictures that are mirrored, of those that may be.

        Returns:
            uint8 `(S, S, 3)`.

        Reference: Karras et al., "Elucidating the Design Space of Diffusion-Based Generative
        Models", 2022 (a network that is told how its pictures were augmented does not blur them).
        """
        picture = self.pictures[place]
        if chances[0] < mirrored and not _has_a_side(self.rows[place]):
            picture = picture[:, ::-1]
        rgb = picture[..., :3].astype(np.float32)
        grey = rgb.mean(-1, keepdims=True)
        rgb = grey + (rgb - grey) * (0.7 + 0.6 * chances[1])
        rgb = np.clip(rgb * (0.85 + 0.3 * chances[2:5]), 0, 255)
        varied = np.dstack([np.rint(rgb).astype(np.uint8), picture[..., 3]])
        pale = 255 - _DEEPEST * chances[5:8]
        return on_background(varied, BACKGROUNDS[colour]["rgb"] if colour else pale)


def read_captioned(builders: Iterable[tfds.core.DatasetBuilder], split: str, side: int):
    """Reads captioned pictures of any TFDS builders whose rows have words.

    These are a `name` or a `caption`, a `label` that has names (as in `oxford_flowers102`), or
    `captions` with a `text` (as in `coco_captions`), of which the first is taken.

    What comes often weighs little: `n` pictures of one style and name, whatever follows a colon in
    it ("waving hand: dark skin tone"), are drawn as often as the root of `n` single ones.

    Args:
        builders: prepared builders, such as `PictureFolder(folder, channels=4)`.
        split: "train" or "test".
        side: pictures are brought to `(side, side)`: small ones by repeating pixels, where their
            side divides it, all others smoothly, and of oblong ones the middle.

    Returns:
        `Captioned`.

    Raises:
        ValueError: if no row has words.
    """
    pictures, rows = [], []
    for builder in builders:
        for example in tfds.as_numpy(builder.as_dataset(split=split)):
            row = _row(example, builder.info.features)
            if not (row.get("name") or row.get("caption")):
                continue
            pictures.append(_square(example["image"], side))
            rows.append(row)
    if not rows:
        raise ValueError(f"no picture of split {split!r} has a name or a caption")
    kinds = [(row.get("style"), (row.get("name") or row["caption"]).split(":")[0]) for row in rows]
    counts = Counter(kinds)
    weights = np.array([counts[kind] ** -0.5 for kind in kinds])
    return Captioned(np.stack(pictures), rows, weights / weights.sum())


def put_into_words(row: dict, colour: str | None, wording: Wording, rng) -> str:
    """Returns one way to ask for a row's picture on a background.

    Args:
        row: as in `Captioned`.
        colour: of the background, or None for one that is not named.
        wording: how often each way is taken.
        rng: a NumPy generator.
    """
    languages = [suffix for suffix in ("", "_zh") if row.get(f"name{suffix}")] or [""]
    suffix = languages[-1] if rng.random() < wording.chinese else languages[0]
    language = "zh" if suffix else "en"
    way = rng.random()
    words, style = row.get(f"name{suffix}"), row.get("style")
    if not words or (way < wording.caption and row.get(f"caption{suffix}")):
        words, style = row[f"caption{suffix}"], None  # which says itself in which style
    elif 0 <= way - wording.caption < wording.keyword and row.get(f"keywords{suffix}"):
        known = row[f"keywords{suffix}"]
        some = rng.choice(len(known), min(len(known), int(rng.integers(1, 4))), replace=False)
        words = ("，" if suffix else ", ").join(known[place] for place in some)
    if style not in STYLES or rng.random() >= wording.style:
        style = None
    return prompt(words, language, style, colour)


def captioned_batches(
    captioned: Captioned, wording: Wording, batch_size: int, seed: int = 0, first_step: int = 0
) -> tf.data.Dataset:
    """An endless stream of batches; batch number n depends on `seed` and n alone.

    Args:
        captioned: pictures and words.
        wording: how they are put into words.
        batch_size: pictures a batch.
        seed: int.
        first_step: number of the first batch.

    Returns:
        A dataset of `(image, prompt, chances)`: float32 `(B, S, S, 3)` in 0..1, strings `(B,)` and
        float32 `(B, CHANCES)`, as in `Captioned.draw`.
    """
    side = captioned.pictures.shape[1]

    def batch(number):
        rng = np.random.default_rng((seed, int(number)))
        pictures, prompts, chances = captioned.draw(batch_size, wording, rng)
        return pictures, np.array([words.encode() for words in prompts]), chances

    def numbered(number):
        pictures, prompts, chances = tf.numpy_function(
            batch, [number], (tf.uint8, tf.string, tf.float32), stateful=False
        )
        pictures.set_shape((batch_size, side, side, 3))
        prompts.set_shape((batch_size,))
        chances.set_shape((batch_size, CHANCES))
        return tf.cast(pictures, tf.float32) / 255, prompts, chances

    return tf.data.Dataset.counter(first_step).map(numbered).prefetch(4)


def _row(example, features):
    """What is known of an example, as plain strings and lists."""
    row = {key: _plain(value) for key, value in example.items() if key != "image"}
    label = dict(features.items()).get("label")
    if "name" not in row and isinstance(label, tfds.features.ClassLabel):
        row["name"] = label.int2str(int(example["label"])).replace("_", " ")
    texts = row.get("captions", {}).get("text", []) if isinstance(row.get("captions"), dict) else []
    if "caption" not in row and len(texts):
        row["caption"] = _plain(texts[0])
    return row


def _plain(value):
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, np.ndarray) and value.dtype == object:
        return [item.decode() for item in value]
    return value


def _square(picture, side):
    height, width, channels = picture.shape
    if channels == 1:
        picture = np.repeat(picture, 3, axis=-1)
    if channels < 4:
        picture = np.dstack([picture, np.full((height, width), 255, np.uint8)])
    picture = middle(picture, min(height, width))
    if len(picture) == side:
        return picture
    repeated = side % len(picture) == 0
    kind = Image.Resampling.NEAREST if repeated else Image.Resampling.LANCZOS
    return np.asarray(Image.fromarray(picture, "RGBA").resize((side, side), kind))


def _has_a_side(row):
    """Whether a mirror image would be another thing: letters, digits, arrows, hands of a clock."""
    words = f"{row.get('name', '')} {' '.join(row.get('keywords', []))}".lower()
    return any(part in words for part in _SIDED)


# fmt: off
_SIDED = (
    "left", "right", "east", "west", "arrow", "button", "keycap", "letter", "symbol", "sign",
    "o’clock", "flag",
)
# fmt: on
