"""The nine ways in which a photo goes wrong, for training pairs and for evaluation."""

from tfimg.degradations.catalogue import CATALOGUE, INTENTS, NAMES, Degradation, degrade
from tfimg.degradations.protocols import Protocol
from tfimg.degradations.protocols import parse as parse_protocol
from tfimg.degradations.seeds import StatelessSeeds

__all__ = [
    "CATALOGUE",
    "INTENTS",
    "NAMES",
    "Degradation",
    "Protocol",
    "StatelessSeeds",
    "degrade",
    "parse_protocol",
]
