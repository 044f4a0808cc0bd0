"""What a folder that `export.tflite` wrote holds, for whoever runs it; no TensorFlow, no Keras."""

import json
from functools import lru_cache
from pathlib import Path

import numpy as np

from export.wordpiece import WordPiece


class LiteModel:
    """The models, words and description of a folder: what restoring and making pictures share.

    Args:
        folder: what `export.tflite` wrote.
        threads: of the interpreter.

    Raises:
        FileNotFoundError: if the folder is none or lacks a file.
        ValueError: if its models are for the other task, or broken.
    """

    # Whether the models restore pictures; the others make them. A subclass says so.
    restores: bool

    def __init__(self, folder: str | Path, threads: int = 2):
        self.folder, self._threads = Path(folder), threads
        if not (self.folder / "model.json").is_file():
            raise FileNotFoundError(f"no exported model in {str(folder)!r}: model.json is missing")
        try:
            self._load()
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise ValueError(f"broken model in {str(folder)!r}: {error!r}") from error

    def _load(self):
        text = (self.folder / "model.json").read_text(encoding="utf-8")
        self.description = json.loads(text)
        if ("diagnosis" in self.description) != self.restores:
            does, runner = ("makes", "lite_maker") if self.restores else ("restores", "lite")
            raise ValueError(f"{str(self.folder)!r} {does} pictures; use export.{runner}")
        words = self.description["words"]
        self._tokenize = WordPiece(self.folder / words["vocabulary"], **words["tokenizer"])
        self._words, self._image = self._runner("words"), self._runner("image")
        self._read = lru_cache(1024)(self._read_uncached)

    def embed(self, words: str) -> np.ndarray:
        """Encodes a sentence; computed once a sentence.

        Args:
            words: what is wanted, in English or Chinese.

        Returns:
            float32 `(D,)`, what steers the image network.

        Raises:
            ValueError: if the sentence is empty.
        """
        return self._read(words)["embedding"][0]

    def _runner(self, part):
        from ai_edge_litert.interpreter import Interpreter

        path = self.folder / self.description[part]["file"]
        if not path.is_file():
            raise FileNotFoundError(f"{path} is missing")
        try:
            return Interpreter(str(path), num_threads=self._threads).get_signature_runner()
        except (RuntimeError, ValueError) as error:
            raise ValueError(f"broken model {str(path)!r}: {error}") from error

    def _read_uncached(self, words):
        token_ids, padding_mask = self._tokenize(words)
        return self._words(token_ids=token_ids, padding_mask=padding_mask)
