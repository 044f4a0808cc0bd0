"""A picture and a sentence in, a better picture out."""

import functools
import warnings
from collections.abc import Callable
from dataclasses import replace

import keras
import numpy as np

from tfimg import pixels
from tfimg.degradations import INTENTS, NAMES
from tfimg.losses import RestorationLoss
from tfimg.metrics import PSNR
from tfimg.postprocess import check_strength, match_colours, mean_change, postprocess
from tfimg.tasks.describer import Describer
from tfimg.tasks.image_classifier import CROP, ImageClassifier
from tfimg.tasks.task import TextGuidedTask
from tfimg.text.descriptions import language_of
from tfimg.text.remedies import (
    ABSENT,
    PASSES,
    REMEDIES,
    SURE,
    doubted,
    first,
    in_words,
    intention,
    prescribe,
    settled,
)
from tfimg.text.steps import Step, strength_of
from tfimg.text.steps import steps as read_steps
from tfimg.tiling import as_plane, restore_tiled

# A pass that changes pixels by less than this on average, in 0..1, has nothing more to give.
_UNCHANGED = 0.5 / 255


@keras.saving.register_keras_serializable("tfimg")
class ImageRestorer(TextGuidedTask):
    """Restores and enhances pictures as the words say.

    Args:
        backbone: a `TextGuidedBackbone`.
        preprocessor: an `InstructionPreprocessor`.

    Raises:
        ValueError: if the backbone has a canvas, so it makes pictures from words.

    Example:

    ```python
    restorer = tfimg.ImageRestorer.from_preset("restorer_small")
    out = restorer.restore(image, "remove the noise")
    out = restorer.restore(image)  # no words: it diagnoses first

    restorer.compile()
    restorer.fit(dataset)  # of ({"image": ..., "instruction": ...}, target picture)
    ```
    """

    output_name = "image"

    def __init__(self, backbone, preprocessor, **kwargs):
        if backbone.canvas is not None:
            raise ValueError("the preset makes pictures from words; expected one that restores")
        super().__init__(backbone, preprocessor, **kwargs)
        # `fit` runs the classifier head without teaching it; the statistics that it has learnt
        # must not become those of the pictures at hand.
        backbone.image_network.get_layer("classifier_standardised").trainable = False
        # Made once, when first needed, and behind functions: Keras would save them as parts.
        self._network = functools.cache(lambda: backbone.heads("image"))
        self._classifier = functools.cache(lambda: ImageClassifier(backbone, preprocessor))

    def default_loss(self):
        """What the presets are trained with."""
        return RestorationLoss()

    def default_metrics(self):
        return [PSNR()]

    @property
    def diagnoses(self) -> bool:
        """Whether it can do without words; one made for classes of your own cannot."""
        return self.backbone.diagnoses

    def restore(
        self,
        image,
        instruction: str | None = None,
        strength: float | None = None,
        mask=None,
        *,
        passes: int = PASSES,
        describer: Describer | None = None,
        insist: bool = False,
        match_colour: bool = False,
        progress: Callable[[int, int], None] | None = None,
        say: Callable[[str], None] = print,
    ) -> np.ndarray:
        """Restores one picture or a batch of them.

        Args:
            image: `(H, W, 3)` or `(B, H, W, 3)`, any size; uint8, uint16 or float 0..1.
            instruction: what to do, in English or Chinese. Where it sets an order ("first denoise,
                then sharpen") its steps are done one after the other. Without it, or where it
                wishes for something better and does not say what ("fix this"), the picture is
                diagnosed, and what was found is done.
            strength: 0 returns the input (floats clipped to 0..1), 1 the full effect; by default
                what the words say ("slightly", "by 30 %"), or 1.
            mask: `(H, W)` or `(H, W, 1)`, 1 = known pixel, 0 = to be filled in; of a batch, the
                same for every picture. It belongs to the first step that asks for damage to be
                repaired, or to the first pass of a diagnosis, to which it tells that there is
                damage; after that every pixel is known. Where the words ask for no repair, it is
                used in the first step, with a warning.
            passes: how often at most a picture is diagnosed and restored; it ends earlier when
                nothing is wrong any more, or nothing changes. What is not certain waits for the
                next pass, see `tfimg.text.remedies.first`; what one pass has undone, the next
                ones leave alone, see `tfimg.text.remedies.settled`.
            describer: writes what was found and what is to be done, in the language of the words;
                without it the names of what was found are told.
            insist: whether what is asked for is done though the picture seems not to need it.
                Otherwise what it surely does not have is not undone, since that would spoil it; but
                words about noise are always followed.
            match_colour: gives the result the input's mean and contrast of each colour.
            progress: called as `progress(done, total)` after each tile of a large picture.
            say: called with a line on the first diagnosis, on each later one that finds more, and
                on what is not undone.

        Returns:
            An array of the input's shape and dtype.

        Raises:
            TypeError: for a dtype that is none of the above.
            ValueError: for a wrong rank, NaN, an empty instruction, a strength outside 0..1, no
                pass, a mask of another size, or a picture to be diagnosed where `diagnoses` is
                False.
        """
        image = np.asarray(image)
        pixels.check(image)
        if strength is not None:
            check_strength(strength)
        if passes < 1:
            raise ValueError(f"passes is {passes}; expected 1 or more")
        if mask is not None:
            mask = as_plane(mask, image.shape[-3:])
            mask = None if mask.min() == 1 else mask
        steps = None if instruction is None else self.plan(instruction)
        if steps is None:
            if not self.diagnoses:
                raise ValueError(
                    f"the preset has {len(self.backbone.labels)} labels of its own and cannot "
                    "tell what is wrong; say in words what to do"
                )
            if strength is None and instruction is not None:
                strength = strength_of(instruction)
            prescribed = functools.partial(_prescribed, describer, language_of(instruction or ""))
            work = functools.partial(self._diagnosed, prescribed, strength, mask, passes, say)
        else:
            if strength is not None:
                steps = [replace(step, strength=strength) for step in steps]
            masks = self._masks(steps, mask)
            work = functools.partial(self._stepwise, steps, masks, insist, say)
        pictures = image if image.ndim == 4 else image[None]
        done = []
        for picture in pictures:
            restored = work(picture, progress)
            done.append(match_colours(restored, picture) if match_colour else restored)
        return np.stack(done) if image.ndim == 4 else done[0]

    def plan(self, instruction: str) -> list[Step] | None:
        """Tells what a request asks for, step by step.

        Args:
            instruction: a sentence.

        Returns:
            The steps in their order, or None where it wishes for something better and does not say
            what. A request with a part that asks for nothing clear is one step.

        Raises:
            TypeError: if it is no string.
            ValueError: if it is empty.
        """

        def asked(words):
            return max(self.interpret([words])[0].values()) >= SURE

        if not asked(instruction):
            return None
        parts = read_steps(instruction)
        if len(parts) > 1 and all(asked(part.words) for part in parts):
            return parts
        return [Step(instruction, strength_of(instruction))]

    def _masks(self, steps, mask):
        """The mask for the step that it belongs to, and None for the others."""
        if mask is None:
            return [None] * len(steps)
        repairs = [self.interpret([step.words])[0]["damage"] >= SURE for step in steps]
        if not any(repairs):
            # The network has learnt to fill in only where the words name damage.
            warnings.warn(
                "a mask is given, but the words do not ask for damage to be repaired; expected "
                f'words such as "{REMEDIES["en"]["damage"]}"',
                stacklevel=3,
            )
        place = repairs.index(True) if any(repairs) else 0
        return [mask if number == place else None for number in range(len(steps))]

    def _stepwise(self, steps, masks, insist, say, image, progress):
        given = image
        for step, mask in zip(steps, masks, strict=True):
            embedding = self.embed(step.words)
            if not insist and self.diagnoses and self.backbone.embedding_dim is None:
                embedding = self._left_to_do(embedding, image, mask, say)
            if embedding is not None:
                image = self._steered(image, embedding, step.strength, mask, progress)
        return image.copy() if image is given else image

    def _left_to_do(self, intents, image, mask, say):
        """The intents without what the picture does not have; None if nothing is left of them."""
        asked = dict(zip(INTENTS, intents, strict=True))
        if mask is not None:
            asked["damage"] = 0.0  # it is there
        doubtful = doubted(asked, large=max(image.shape[:2]) > CROP)
        if not doubtful:
            return intents  # no need to look
        found = self._classifier().diagnose(pixels.shrunk(image, CROP)).probabilities
        names = [name for name in doubtful if found[name] < ABSENT]
        if not names:
            return intents
        left = np.where(np.isin(INTENTS, names), 0.0, intents).astype("float32")
        nothing = mask is None and left[:-1].max() < SURE
        told = ", ".join(f"{name} {100 * found[name]:.0f} %" for name in names)
        done = "left as it is" if nothing else "the rest is done"
        say(f"found hardly any of this: {told}; {done}, unless you insist")
        return None if nothing else left

    def _diagnosed(self, prescribed, strength, mask, passes, say, image, progress):
        restored, undone, waiting = image, set(), {}
        for number in range(passes):
            diagnosis = self._classifier().diagnose(restored)
            found = diagnosis.probabilities
            found = found | dict.fromkeys(settled(undone, waiting, found), 0.0)
            if mask is not None:
                found |= {"damage": 1.0, "none": 0.0}
            sure = {name for name in NAMES if found[name] >= SURE}
            if undone and not sure:
                break
            last = number + 1 == passes
            now = sure if last else first(found)
            waiting = {name: found[name] for name in NAMES if name in sure - now}
            found |= dict.fromkeys(waiting, 0.0)
            line, remedy = prescribed(replace(diagnosis, probabilities=found))
            say(f"{line}; will look again for {in_words(waiting)}" if waiting else line)
            if remedy is None:
                break
            undone |= now
            before = restored
            restored = self._steered(before, self.embed(remedy), strength, mask, progress)
            mask = None  # what was missing is filled in
            if not last and not waiting and mean_change(restored, before) < _UNCHANGED:
                break
        return image.copy() if restored is image else restored

    def _steered(self, image, embedding, strength, mask, progress):
        def network(tile):
            known = tile[..., 3:] if mask is not None else np.ones_like(tile[..., :1])
            return self._network().predict_on_batch(
                {"image": tile[..., :3], "mask": known, "embedding": embedding[None]}
            )["image"]

        return restore_tiled(
            network,
            image,
            multiple=self.backbone.multiple,
            mask=mask,
            finish=lambda restored, source: postprocess(
                restored, source, 1.0 if strength is None else strength
            ),
            progress=progress,
        )


def _prescribed(describer, language, diagnosis):
    """A line on what is wrong, and the words that mend it, or None."""
    found = diagnosis.probabilities
    remedy = prescribe(found, language)
    if describer is None:
        return intention(found, language), remedy
    written = describer.describe(found, diagnosis.severity, language)
    line = f"{written.state} {written.instruction} ({in_words(found)})"
    return line, remedy and written.instruction
