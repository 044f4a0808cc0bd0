"""Recipes, training and evaluation."""

import os

# TensorFlow turns oneDNN on by itself only on newer processors; training is faster with it on all.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
