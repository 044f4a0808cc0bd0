"""Compares the text branch with simpler and larger readers, on the same held-out phrasings.

    python -m training.baselines [--preset restorer_small] [--text-encoder BERT]

A bag of character n-grams with a linear layer on top; a pretrained BERT whose averaged features a
small head reads (`--text-encoder`, for example a folder with all-MiniLM-L6-v2; English, so its
Chinese figure only shows what that means); and our own small BERT as the preset has it. The first
two are fitted here, on sentences from the corpus' training split.
"""

import argparse
import sys
import time

import numpy as np

from tfimg.arguments import Parser, one_line, positive, refuse

_GRAMS, _TOKENS = 4, 60_000
_LENGTH, _HIDDEN = 32, 512
_TIMED = 50


def main(arguments=None) -> int:
    """Prints a row a reader."""
    parser = _parser()
    args = parser.parse_args(arguments)
    import keras

    from tfimg import commands, show
    from training import reading, sentences, tables

    try:
        restorer = commands.load("ImageRestorer", commands.check_preset(args.preset))
        pretrained = _pretrained(args.text_encoder) if args.text_encoder else None
    except (OSError, ValueError) as error:
        return refuse(parser.prog, one_line(error))
    keras.utils.set_random_seed(args.seed)
    texts, labels = sentences.draw_sentences(args.sentences, "train", args.seed)
    readers = {"bag of n-grams": _Fitted(*_bag_of_grams(texts), texts, labels)}
    if pretrained:
        readers[f"{args.text_encoder}, frozen, with a head"] = _Fitted(*pretrained, texts, labels)
    readers["our BERT"] = restorer
    held_out = reading.read_sentences(reading.HELD_OUT)
    for name, reader in readers.items():
        began = time.perf_counter()
        for row in held_out[:_TIMED]:
            reader.interpret([row["text"]])
        spent = 1000 * (time.perf_counter() - began) / _TIMED
        parts = restorer.backbone.text_encoder if reader is restorer else reader
        print(f"{name}: {parts.count_params():,} parameters, {spent:.1f} ms a sentence")
        show.print_table(tables.reading_table(reading.accuracy(reader, held_out)["rows"]))
    return 0


class _Fitted:
    """A head on features, fitted on sentences, that reads as a restorer does."""

    def __init__(self, featurize, parameters, head, texts, labels):
        import keras

        self._featurize, self._head, self._parameters = featurize, head, parameters
        features = np.concatenate(
            [featurize(texts[at : at + 256]) for at in range(0, len(texts), 256)]
        )
        head.compile(
            keras.optimizers.AdamW(1e-3), keras.losses.BinaryCrossentropy(from_logits=True)
        )
        head.fit(features, labels, batch_size=128, epochs=12, verbose=0)

    def interpret(self, texts):
        from tfimg.degradations import INTENTS

        logits = np.asarray(self._head.predict_on_batch(self._featurize(texts)))
        return [
            dict(zip(INTENTS, 1 / (1 + np.exp(-row)), strict=True)) for row in logits.astype(float)
        ]

    def count_params(self):
        return self._parameters + self._head.count_params()


def _bag_of_grams(texts):
    """Character n-grams and their count; a linear head."""
    import keras

    from tfimg.degradations import INTENTS

    grams = keras.layers.TextVectorization(
        max_tokens=_TOKENS, split="character", ngrams=_GRAMS, output_mode="multi_hot"
    )
    grams.adapt(texts)
    head = keras.Sequential(
        [keras.Input((grams.vocabulary_size(),)), keras.layers.Dense(len(INTENTS))]
    )
    return lambda batch: np.asarray(grams(batch), np.float16), 0, head


def _pretrained(name):
    """A frozen BERT's mean and largest features; a head with one hidden layer."""
    import keras
    import keras_hub

    from tfimg.degradations import INTENTS

    bert = keras_hub.models.BertBackbone.from_preset(name)
    packer = keras_hub.models.BertTextClassifierPreprocessor(
        keras_hub.models.BertTokenizer.from_preset(name), sequence_length=_LENGTH
    )

    def featurize(batch):
        x = packer(batch)
        features = np.asarray(bert.predict_on_batch(x)["sequence_output"])
        there = np.asarray(x["padding_mask"])[..., None]
        mean = (features * there).sum(1) / there.sum(1)
        return np.concatenate([mean, np.where(there, features, -np.inf).max(1)], axis=1)

    head = keras.Sequential(
        [
            keras.Input((2 * bert.hidden_dim,)),
            keras.layers.LayerNormalization(),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(_HIDDEN, "gelu"),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(len(INTENTS)),
        ]
    )
    return featurize, bert.count_params(), head


def _parser():
    parser = Parser(
        prog="python -m training.baselines",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--preset", help="whose text branch is ours (default: restorer_small)")
    parser.add_argument("--text-encoder", metavar="BERT", help="a KerasHub BERT preset, or folder")
    parser.add_argument("--sentences", type=positive, default=15_000, help="to fit on")
    parser.add_argument("--seed", type=int, default=0)
    return parser


if __name__ == "__main__":
    sys.exit(main())
