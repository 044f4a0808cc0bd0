"""Photos to training pairs to batches, with tf.data."""
