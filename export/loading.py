"""Loads what a preset holds, whatever it is for."""

import tfimg
from tfimg import presets


def load(preset: str) -> "tfimg.ImageRestorer | tfimg.TextToImage":
    """Returns a preset's task in float32: a maker of pictures where it has a canvas.

    Raises:
        ValueError: for an unknown name, or a folder that is no preset or a broken one.
    """
    task = tfimg.ImageRestorer
    backbone = tfimg.TextGuidedBackbone.from_preset(presets.resolve(preset), load_weights=False)
    if backbone.canvas is not None:
        task = tfimg.TextToImage
    return task.from_preset(preset, dtype="float32")
