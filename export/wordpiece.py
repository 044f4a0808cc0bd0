"""The tokeniser of an exported preset in plain Python: what an app has to port.

It imports nothing but the standard library and NumPy.
"""

import unicodedata
from pathlib import Path

import numpy as np

_SPACES = " \t\n\r\f"
# Unicode's Default_Ignorable_Code_Point: marks without a width, which folding drops.
_IGNORED = (
    *((0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160), (0x17B4, 0x17B5)),
    *((0x180B, 0x180F), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164)),
    *((0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8)),
    *((0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF)),
)
_CJK = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)


class WordPiece:
    """Cuts sentences into pieces of a vocabulary, the longest first.

    Args:
        vocabulary: file with one piece a line; the line's number, from 0, is the piece's id.
        length: tokens of a sentence, start and end included; longer ones are cut.
        lowercase: whether case is folded first.
        unknown, start, end, pad: pieces with a meaning of their own.
        suffix: what marks a piece that continues a word.
        longest_word: bytes; a longer word is unknown.

    Example:

    ```python
    token_ids, padding_mask = WordPiece("vocabulary.txt", 48)("remove the noise")
    ```

    Reference: Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers for Language
    Understanding", 2019.
    """

    def __init__(
        self,
        vocabulary: str | Path,
        length: int,
        lowercase: bool = True,
        unknown: str = "[UNK]",
        start: str = "[CLS]",
        end: str = "[SEP]",
        pad: str = "[PAD]",
        suffix: str = "##",
        longest_word: int = 100,
    ):
        pieces = Path(vocabulary).read_text(encoding="utf-8").split("\n")
        self._ids = {piece: number for number, piece in enumerate(pieces) if piece}
        for piece in (unknown, start, end, pad):
            if piece not in self._ids:
                raise ValueError(f"the vocabulary {str(vocabulary)!r} lacks {piece!r}")
        self.length, self._lowercase = length, lowercase
        self._unknown, self._start, self._end, self._pad = (
            self._ids[piece] for piece in (unknown, start, end, pad)
        )
        self._suffix, self._longest_word = suffix, longest_word

    def __call__(self, sentence: str) -> tuple[np.ndarray, np.ndarray]:
        """Returns `token_ids` and `padding_mask`, both int32 `(1, length)`.

        Raises:
            ValueError: if the sentence is empty.
        """
        sentence = sentence.strip()
        if not sentence:
            raise ValueError("the instruction is empty; say what to do in words")
        pieces = [number for word in self._words(sentence) for number in self._pieces(word)]
        numbers = [self._start, *pieces[: self.length - 2], self._end]
        fill = self.length - len(numbers)
        token_ids = np.array([numbers + [self._pad] * fill], np.int32)
        return token_ids, np.array([[1] * len(numbers) + [0] * fill], np.int32)

    def _words(self, sentence):
        word = ""
        for character in sentence:
            category = unicodedata.category(character)
            blank = character in _SPACES or category in ("Cc", "Cf")
            alone = _is_punctuation(character, category) or _within(character, _CJK)
            if (blank or alone) and word:
                yield word
                word = ""
            if alone:
                yield character
            elif not blank:
                word += character
        if word:
            yield word

    def _pieces(self, word):
        # After the cut, not before it: a full-width comma is a word of its own either way.
        word = _folded(word) if self._lowercase else word
        if len(word.encode()) > self._longest_word:
            return [self._unknown]
        found, begin = [], 0
        while begin < len(word):
            mark = self._suffix if begin else ""
            for end in range(len(word), begin, -1):
                if (piece := mark + word[begin:end]) in self._ids:
                    found.append(self._ids[piece])
                    begin = end
                    break
            else:
                return [self._unknown]
        return found


def _is_punctuation(character, category):
    # All of ASCII but letters, digits and blanks counts, whatever Unicode calls it.
    ascii_sign = "!" <= character <= "~" and not character.isalnum()
    return ascii_sign or category.startswith("P")


def _folded(sentence):
    """Unicode's NFKC_Casefold: one form for capitals, full-width letters and ligatures."""
    sentence = unicodedata.normalize("NFKC", sentence).casefold()
    sentence = unicodedata.normalize("NFKC", sentence)
    return "".join(character for character in sentence if not _within(character, _IGNORED))


def _within(character, ranges):
    return any(low <= ord(character) <= high for low, high in ranges)
