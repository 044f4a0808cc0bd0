"""One training run on several devices: the GPUs of a machine, or processes under `TF_CONFIG`.

Keras' own `fit` works under `MirroredStrategy`, but not under `MultiWorkerMirroredStrategy`, so
several processes share a loop of their own here. Each takes its share of every batch; gradients are
averaged, and clipped after that, so that several processes compute what one would.

Reference: Goyal et al., "Accurate, Large Minibatch SGD", 2017 (synchronous data parallelism).
"""

import contextlib
import json
import os
from collections.abc import Sequence

import keras
import tensorflow as tf


def processes() -> int:
    """Returns how many processes `TF_CONFIG` spreads this run over; 1 where it names none.

    Raises:
        ValueError: if `TF_CONFIG` is broken, names tasks that are no workers (a chief would write
            to the same files as the first worker), or does not say which of them this one is.
    """
    cluster, task = _config()
    if others := sorted(set(cluster) - {"worker"}):
        raise ValueError(f"TF_CONFIG names {', '.join(others)}; expected worker tasks alone")
    count = len(cluster.get("worker", ()))
    if count > 1 and (task.get("type") != "worker" or task.get("index") not in range(count)):
        raise ValueError(
            f"TF_CONFIG says that this is task {task}; expected type worker, index 0..{count - 1}"
        )
    return max(1, count)


def strategy() -> tf.distribute.Strategy | None:
    """Returns how this run is spread, or None for one process on one device.

    It must be called before anything else has touched the devices.

    Raises:
        ValueError: as `processes`, or if a process of several has more than one device: each takes
            one share of a batch.
    """
    if (count := processes()) > 1:
        spread = tf.distribute.MultiWorkerMirroredStrategy()
        if (found := spread.num_replicas_in_sync) != count:
            raise ValueError(
                f"{count} processes have {found} devices; expected one each, so start one process "
                "a device, and show it that device alone with CUDA_VISIBLE_DEVICES"
            )
        return spread
    if len(tf.config.list_physical_devices("GPU")) > 1:
        return tf.distribute.MirroredStrategy()
    return None


def scope(spread: tf.distribute.Strategy | None) -> contextlib.AbstractContextManager:
    """Returns the context in which a run's variables are made."""
    return spread.scope() if spread else contextlib.nullcontext()


def is_chief() -> bool:
    """Returns whether this process writes the checkpoints and the preset."""
    return _config()[1].get("index", 0) == 0


def several(spread: tf.distribute.Strategy | None) -> bool:
    """Returns whether a run has several processes."""
    return isinstance(spread, tf.distribute.MultiWorkerMirroredStrategy)


def fit(
    spread: tf.distribute.MultiWorkerMirroredStrategy,
    model: keras.Model,
    batches: tf.data.Dataset,
    steps: int,
    callbacks: Sequence[keras.callbacks.Callback],
) -> None:
    """Trains a compiled model together with the other processes.

    Args:
        spread: what `strategy` returned.
        model: compiled with an optimiser that clips by `global_clipnorm`; its losses are those of
            its `compile`.
        batches: the same whole batches in every process.
        steps: optimiser steps.
        callbacks: of this process; the chief's write checkpoints.

    Raises:
        ValueError: if the model has a train step of its own, or a batch cannot be shared evenly.
    """
    if type(model).train_step is not keras.Model.train_step:
        raise ValueError(f"{model.name} has a train step of its own; train it in one process")
    workers, rank = spread.num_replicas_in_sync, _config()[1].get("index", 0)
    variables, optimizer = model.trainable_variables, model.optimizer
    with spread.scope():
        optimizer.build(variables)

    def share(*batch):
        def own(tensor):
            size = tensor.shape[0]
            if size is None or size % workers:
                raise ValueError(f"{size} pictures a batch cannot be shared by {workers} workers")
            return tensor[rank * size // workers : (rank + 1) * size // workers]

        return tf.nest.map_structure(own, batch)

    def replica(batch):
        # Keras' losses are divided by the number of processes, and so are added up.
        x, y, weights = keras.utils.unpack_x_y_sample_weight(batch)
        with tf.GradientTape() as tape:
            loss = model.compute_loss(x, y, model(x, training=True), weights, training=True)
        context = tf.distribute.get_replica_context()
        felt = zip(tape.gradient(loss, variables), variables, strict=True)
        # A head that no loss looks at has no gradients.
        gradients, moved = zip(*(pair for pair in felt if pair[0] is not None), strict=True)
        gradients = context.all_reduce("SUM", list(gradients))
        gradients, _ = tf.clip_by_global_norm(gradients, optimizer.global_clipnorm)
        # The optimiser adds up what the processes have, which is the same by now.
        optimizer.apply([gradient / workers for gradient in gradients], moved)
        return context.all_reduce("SUM", loss)

    @tf.function
    def step(batch):
        return spread.experimental_local_results(spread.run(replica, args=(batch,)))[0]

    watching = keras.callbacks.CallbackList(
        list(callbacks), model=model, steps=steps, epochs=1, verbose=0
    )
    watching.on_train_begin()
    for number, batch in enumerate(batches.map(share).take(steps)):
        watching.on_train_batch_end(number, {"loss": step(batch)})
    watching.on_train_end()
    optimizer.finalize_variable_values(variables)


def _config():
    """The cluster and this process's task in it, both empty where there is none."""
    text = os.environ.get("TF_CONFIG") or "{}"
    try:
        config = json.loads(text)
        cluster, task = config.get("cluster", {}), config.get("task", {})
        return dict(cluster), dict(task)
    except (AttributeError, TypeError, ValueError) as error:
        raise ValueError(
            f"TF_CONFIG is no JSON object of a cluster and a task ({error}), found {text[:80]!r}"
        ) from None
