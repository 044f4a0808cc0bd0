"""Restores any number of pictures with Apache Beam: on this machine, Flink, Spark or Dataflow.

    python -m export.batch --input 'photos/**' --output restored --instruction "remove the noise" \\
        --model served/restorer/1

Each picture, in any format that `tfimg` reads, becomes an upright PNG at the same place below the
output; what follows the arguments above goes to Beam, such as `--runner=DirectRunner
--direct_num_workers=0`. Hidden files are left out, and so are pictures whose output is there
already: a run that was stopped goes on when it is started again. An output appears whole or not at
all, and twice the same when a worker dies and its work is done again. Pictures that cannot be
restored are listed, with the reason, in `failed-*.jsonl` of the output.

Apache Beam is an extra (`pip install ".[batch]"`), best in an environment of its own.
"""

import argparse
import json
import sys
import uuid
from pathlib import Path

import apache_beam as beam
from apache_beam.io import fileio
from apache_beam.io.filesystems import FileSystems
from apache_beam.ml.inference.base import ModelHandler, PredictionResult, RunInference
from apache_beam.options.pipeline_options import PipelineOptions

from export.pictures import upright_png
from export.places import fixed_part, is_input, lies_in, target
from tfimg.arguments import Parser, one_line, refuse


class SavedModelHandler(ModelHandler):
    """Runs pictures one by one through an exported SavedModel, in TensorFlow's C++ runtime.

    Args:
        folder: `NAME/VERSION`, what `export.saved_model` wrote.
        instruction: what to do with each picture.

    Elements are pairs of a path and a PNG's bytes.
    """

    def __init__(self, folder: str, instruction: str):
        super().__init__(max_batch_size=1)
        self._folder, self._instruction = folder, instruction

    def load_model(self):
        from export.session import Session

        return Session(Path(self._folder))

    def run_inference(self, batch, model, inference_args=None):
        for path, image_bytes in batch:
            inputs = {"image_bytes": [image_bytes], "instruction": [self._instruction]}
            made = model.run("serving_default", inputs)["image_bytes"][0]
            yield PredictionResult((path, None), made)

    def share_model_across_processes(self):
        return False


class _Read(beam.DoFn):
    """From a file's name to an upright PNG; what is no picture goes to the list of failures."""

    def process(self, metadata):
        try:
            with FileSystems.open(metadata.path) as file:
                yield metadata.path, upright_png(file.read())
        except (OSError, ValueError) as error:
            yield beam.pvalue.TaggedOutput("failed", (metadata.path, one_line(error)))


class _Write(beam.DoFn):
    """Writes a result beside its place, then renames it.

    Args:
        root: the pattern's fixed part.
        output: folder for the results.
    """

    def __init__(self, root: str, output: str):
        self._root, self._output = root, output

    def process(self, result):
        place = target(result.example[0], self._root, self._output)
        folder, _, name = place.rpartition("/")
        # Another worker may make the same folder at the same time.
        if not FileSystems.exists(folder):
            try:
                FileSystems.mkdirs(folder)
            except OSError:
                if not FileSystems.exists(folder):
                    raise
        fresh = f"{folder}/.{uuid.uuid4().hex}-{name}"
        with FileSystems.create(fresh) as file:
            file.write(result.inference)
        FileSystems.rename([fresh], [place])
        yield place


def build(pipeline, pattern: str, output: str, instruction: str, model: str):
    """Adds the work to a pipeline.

    Args:
        pipeline: a `beam.Pipeline`.
        pattern: which files, on any of Beam's file systems.
        output: folder for the results.
        instruction: what to do.
        model: folder of an exported SavedModel that workers can read.

    Returns:
        The collections of pictures found, of outputs written, and of pairs of a path and why it
        failed.
    """
    root = fixed_part(pattern)
    found = (
        pipeline
        | "match" >> fileio.MatchFiles(pattern)
        | "pictures" >> beam.Filter(lambda metadata: is_input(metadata.path, root, output))
    )
    read = (
        found
        | "those without a result"
        >> beam.Filter(lambda file: not FileSystems.exists(target(file.path, root, output)))
        | "spread" >> beam.Reshuffle()
        | "read" >> beam.ParDo(_Read()).with_outputs("failed", main="pictures")
    )
    restored, failed = (
        read.pictures
        | "restore" >> RunInference(SavedModelHandler(model, instruction)).with_exception_handling()
    )
    written = restored | "write" >> beam.ParDo(_Write(root, output))
    refused = failed.failed_inferences | "why" >> beam.FlatMap(
        lambda failure: [(path, one_line(failure[1][1])) for path, _ in failure[0]]
    )
    failures = (read.failed, refused) | "both" >> beam.Flatten()
    _ = (
        failures
        | "as lines" >> beam.MapTuple(lambda path, why: json.dumps({"file": path, "error": why}))
        | "list"
        >> beam.io.WriteToText(
            f"{output.rstrip('/')}/failed", ".jsonl", num_shards=1, skip_if_empty=True
        )
    )
    return found, written, failures


def _count(element, name):
    beam.metrics.Metrics.counter("export.batch", name).inc()


def main(arguments=None) -> int:
    """Runs the pipeline that the arguments describe and prints what came of it."""
    parser = Parser(
        prog="python -m export.batch",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--input", required=True, metavar="GLOB", help="which pictures")
    parser.add_argument("--output", required=True, metavar="DIR")
    parser.add_argument("--instruction", required=True, help="what to do with each")
    parser.add_argument("--model", required=True, metavar="NAME/VERSION", help="a SavedModel")
    args, more = parser.parse_known_args(arguments)
    if not args.instruction.strip():
        return refuse(parser.prog, "the instruction is empty; say what to do in words")
    if not (Path(args.model) / "saved_model.pb").is_file():
        return refuse(parser.prog, f"--model {args.model} is no SavedModel; see export.saved_model")
    if lies_in(fixed_part(args.input), args.output):
        return refuse(
            parser.prog,
            f"--output {args.output} holds the pictures of --input {args.input}; name another",
        )
    try:
        pipeline = beam.Pipeline(options=PipelineOptions(more, save_main_session=False))
        collections = build(pipeline, args.input, args.output, args.instruction, args.model)
        for name, collection in zip(("found", "written", "failed"), collections, strict=True):
            _ = collection | f"count {name}" >> beam.Map(_count, name)
        result = pipeline.run()
        result.wait_until_finish()
    except (OSError, ValueError, RuntimeError) as error:
        return refuse(parser.prog, one_line(error))
    counts = {row.key.metric.name: row.committed for row in result.metrics().query()["counters"]}
    found, written, failed = (counts.get(name, 0) for name in ("found", "written", "failed"))
    if not found:
        return refuse(parser.prog, f"--input {args.input} matches no picture")
    there = found - written - failed
    print(f"{found} found, {there} there already, {written} written, {failed} failed")
    return 2 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
