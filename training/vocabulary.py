"""Learns the WordPiece vocabulary of our own bilingual text branch.

    python -m training.vocabulary --out tfimg/text/vocabulary.txt
    python -m training.vocabulary --captioned FOLDER CEDICT.u8 --size 9000 --out things.txt

The first learns from the corpus of requests, the second from the words of captioned pictures, and
a dictionary in CEDICT's format, for pictures that are made from words. Takes half a minute. A text
branch trained before must be trained again afterwards.
"""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

import keras_hub
import tensorflow as tf

from tfimg.arguments import Parser, one_line, positive, refuse
from tfimg.files import write_atomically
from training.kinds.things import read_pairs
from training.sentences import draw_sentences

RESERVED_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def learn_vocabulary(sentences: Iterable[str], size: int) -> list[str]:
    """Learns a WordPiece vocabulary; Chinese characters become tokens of their own.

    Args:
        sentences: the text to learn from.
        size: the number of tokens to aim for (the algorithm may return a few less or more).

    Returns:
        The tokens, the reserved ones first.

    Reference: Schuster & Nakajima, "Japanese and Korean Voice Search", 2012.
    """
    return keras_hub.tokenizers.compute_word_piece_vocabulary(
        tf.data.Dataset.from_tensor_slices(list(sentences)).batch(1024),
        vocabulary_size=size,
        lowercase=True,
        split_on_cjk=True,
        reserved_tokens=list(RESERVED_TOKENS),
    )


def main(arguments=None) -> int:
    """Writes the vocabulary, one token a line."""
    parser = Parser(
        prog="python -m training.vocabulary",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument(
        "--captioned", nargs="+", type=Path, help="folders and dictionaries, in place of the corpus"
    )
    parser.add_argument("--size", type=positive, default=6000)
    parser.add_argument("--sentences", type=positive, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(arguments)
    if not args.out.parent.is_dir():
        return refuse(parser.prog, f"--out {args.out}: there is no folder {args.out.parent}")
    try:
        if args.captioned:
            prompts, words = read_pairs(args.captioned, args.sentences // 2, args.seed)
            sentences = [text for pair in prompts + words for text in pair if text]
        else:
            sentences, _ = draw_sentences(args.sentences, "train", args.seed)
        tokens = learn_vocabulary(sentences, args.size)
        text = "".join(f"{token}\n" for token in tokens)
        write_atomically(args.out, lambda path: path.write_text(text, encoding="utf-8"))
    except (OSError, ValueError) as error:
        return refuse(parser.prog, one_line(error))
    print(f"{len(tokens)} tokens written to {args.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
