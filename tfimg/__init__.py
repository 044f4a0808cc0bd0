"""tfimg: a picture and a sentence go in, a better picture comes out."""

import importlib

__version__ = "0.1.0"

# Imported on first use: the command line refuses bad input before Keras is loaded.
_PUBLIC = {
    "Describer": "tfimg.tasks.describer",
    "ImageClassifier": "tfimg.tasks.image_classifier",
    "ImageRestorer": "tfimg.tasks.image_restorer",
    "InstructionPreprocessor": "tfimg.tasks.preprocessor",
    "TextGuidedBackbone": "tfimg.network",
    "TextToImage": "tfimg.tasks.text_to_image",
}

__all__ = sorted(_PUBLIC)


def __getattr__(name):
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'tfimg' has no attribute {name!r}")
