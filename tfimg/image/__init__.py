"""Pixels: the convolutional image branch and the generator head."""
