"""Runs SavedModels in a process that never imports tensorflow.

Reads one JSON object a line, `{"model": folder, "inputs": npz, "outputs": npz}`, and answers with
one line, `ok` or what went wrong.
"""

import json
import sys

import numpy as np

from export.session import Session


def _serve(job):
    with np.load(job["inputs"]) as inputs, Session(job["model"]) as session:
        outputs = session.run("serve", dict(inputs))
    np.savez(job["outputs"], **outputs)
    loaded = {name.split(".")[0] for name in sys.modules}
    return "tensorflow was imported" if loaded & {"tensorflow", "keras"} else "ok"


for line in sys.stdin:
    try:
        print(_serve(json.loads(line)), flush=True)
    except Exception as error:
        print(f"{type(error).__name__}: {error}".replace("\n", " "), flush=True)
