"""Our own text branch before training: its vocabulary ships with the package."""

from pathlib import Path

import keras_hub

# Small enough for a phone: under 10 MB with the vocabulary, well under a millisecond a word.
_LAYERS, _HEADS, _WIDTH, _INNER, _POSITIONS = 3, 4, 128, 384, 64


# The vocabularies, both bilingual: of requests for repair, and of things to be seen.
REQUESTS, THINGS = "vocabulary.txt", "things.txt"


def untrained_tokenizer(vocabulary: str = REQUESTS) -> keras_hub.models.BertTokenizer:
    """Returns the tokenizer of a bundled vocabulary."""
    path = Path(__file__).parent / vocabulary
    return keras_hub.models.BertTokenizer(vocabulary=str(path), lowercase=True)


def untrained_bert(vocabulary_size: int) -> keras_hub.models.BertBackbone:
    """Returns the small BERT of the bundled text branch with random weights."""
    return keras_hub.models.BertBackbone(
        vocabulary_size=vocabulary_size,
        num_layers=_LAYERS,
        num_heads=_HEADS,
        hidden_dim=_WIDTH,
        intermediate_dim=_INNER,
        dropout=0.1,
        max_sequence_length=_POSITIONS,
    )
