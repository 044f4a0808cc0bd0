"""What can be asked, checked before anything is loaded."""

# Bytes of an instruction that a server reads; of more than a few sentences nothing is read anyway.
LONGEST_INSTRUCTION = 4096
# Of a maker of pictures.
MOST_IMAGES, LONGEST_PROMPT, MOST_STEPS = 256, 1000, 16


def check_request(prompt: str, num_images: int, seed: int, steps: int = 1) -> None:
    """Refuses what cannot be made.

    Args:
        prompt: what is to be seen.
        num_images: how many.
        seed: of the first.
        steps: passes through the network.

    Raises:
        TypeError: if the prompt is no string.
        ValueError: for an empty or overlong prompt, a negative seed, or a number out of range.
    """
    if not isinstance(prompt, str):
        raise TypeError(f"a prompt must be a string, found {type(prompt).__name__}")
    if not prompt.strip():
        raise ValueError(f"the prompt is empty ({prompt!r}); say what is to be seen")
    if len(prompt) > LONGEST_PROMPT:
        raise ValueError(
            f"the prompt has {len(prompt)} characters; expected {LONGEST_PROMPT} at most"
        )
    if not 1 <= num_images <= MOST_IMAGES:
        raise ValueError(f"the number of pictures is {num_images}; expected 1..{MOST_IMAGES}")
    # Together they stay below what a signed 64-bit integer holds.
    if not 0 <= seed < 2**62:
        raise ValueError(f"the seed is {seed}; expected 0..{2**62 - 1}")
    if not 1 <= steps <= MOST_STEPS:
        raise ValueError(f"the number of steps is {steps}; expected 1..{MOST_STEPS}")
