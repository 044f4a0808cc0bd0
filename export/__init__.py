"""From a preset to what runs elsewhere, and the proof that it computes the same."""
