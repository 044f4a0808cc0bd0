"""Loads what a preset holds, whatever it is for."""

import tfimg
from tfimg import presets
from tfimg.arguments import one_line


def load(preset: str) -> "tfimg.ImageRestorer | tfimg.TextToImage":
    """Returns a preset's task in float32: a maker of pictures where it has a canvas.

    Args:
        preset: a bundled name, a folder or a handle.

    Raises:
        ValueError: for an unknown name, a folder that is no preset or a broken one, or a preset
            that neither restores nor makes pictures.
    """
    folder = presets.resolve(preset)
    try:
        backbone = tfimg.TextGuidedBackbone.from_preset(folder, load_weights=False)
    except Exception as error:  # KerasHub raises whatever the files lead it to
        raise ValueError(f"cannot load preset {preset!r}: {one_line(error)}") from error
    task = tfimg.ImageRestorer if backbone.canvas is None else tfimg.TextToImage
    return task.from_preset(preset, dtype="float32")
