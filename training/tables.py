"""Scores as tables that people read."""

from collections.abc import Iterator
from typing import Any

from rich import box
from rich.table import Table


def scores_table(rows: list[dict[str, Any]]) -> Table:
    """A table of the rows that `training.evaluate` prints, below their degradations."""
    table = Table(f"{rows[0]['count']} pictures", "", box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("input\nPSNR", "\nPSNR", "\ngain", "least\ngain", "input\nSSIM", "\nSSIM"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("")
    last = None
    for row in rows:
        if row["degradation"] != last:
            table.add_section()
            table.add_row(row["degradation"], style="bold")
            last = row["degradation"]
        table.add_row(
            f"  {_words(row)}",
            row["language"] or "",
            f"{row['input_psnr']:.2f}",
            f"{row['psnr']:.2f}",
            f"{row['psnr'] - row['input_psnr']:+.2f}",
            f"{row['least_gain']:+.2f}",
            f"{row['input_ssim']:.4f}",
            f"{row['ssim']:.4f}",
            "; ".join(_notes(row)),
        )
    return table


def reading_table(rows: list[dict[str, Any]]) -> Table:
    """A table of the rows of `training.reading`."""
    table = Table("language", "sentences", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("count", justify="right")
    table.add_column("understood", justify="right")
    table.add_column("exactly", justify="right")
    for row in rows:
        shares = (f"{100 * row[kind]:.1f} %" for kind in ("accuracy", "exact"))
        table.add_row(row["language"], row["kind"], str(row["count"]), *shares)
    return table


def diagnosis_tables(report: dict[str, Any]) -> Iterator[Table]:
    """The tables of the report of `training.diagnosing`: each name, and how true the odds are."""
    table = Table(f"{report['pictures']} pictures", box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("there", "precision", "recall", "F1", "severity\nerror"):
        table.add_column(heading, justify="right")
    for row in report["rows"]:
        shares = (f"{row[kind]:.3f}" for kind in ("precision", "recall", "f1", "severity_error"))
        table.add_row(row["name"], str(row["count"]), *shares)
    table.add_section()
    table.add_row("macro F1", "", "", "", f"{report['macro_f1']:.3f}")
    table.add_row("clean called none", "", "", f"{report['clean_called_none']:.3f}")
    table.add_row("exactly those present", "", "", f"{report['exact']:.3f}")
    yield table
    title = f"expected calibration error {100 * report['calibration_error']:.1f} %"
    table = Table("said", box=box.SIMPLE_HEAD, pad_edge=False, title=title)
    for heading in ("count", "mean said", "came true"):
        table.add_column(heading, justify="right")
    for row in report["reliability"]:
        said = f"{100 * row['from']:.0f} to {100 * row['to']:.0f} %"
        shares = (f"{100 * row[kind]:.1f} %" for kind in ("said", "true"))
        table.add_row(said, str(row["count"]), *shares)
    yield table


def made_tables(report: dict[str, Any]) -> Iterator[Table]:
    """The tables of a report of `training.picturing`: who is found, and how real, varied, new."""
    title = f"{report['steps']} {'pass' if report['steps'] == 1 else 'passes'}"
    table = Table("names", "language", box=box.SIMPLE_HEAD, pad_edge=False, title=title)
    for heading in ("count", "R@1", "R@5", "real\nR@1", "real\nR@5"):
        table.add_column(heading, justify="right")
    for row in report["rows"]:
        shares = (f"{100 * row[kind]:.1f} %" for kind in ("r1", "r5", "real_r1", "real_r5"))
        table.add_row(row["names"], row["language"], str(row["count"]), *shares)
    yield table
    table = Table("", "made", "real", box=box.SIMPLE_HEAD, pad_edge=False)
    for label, made, real in (
        ("kernel distance x 1000", "kid", "kid_floor"),
        ("distance of two pictures", "diversity", "real_diversity"),
        ("distance to the nearest learnt", "nearest", "real_nearest"),
    ):
        if made in report:
            table.add_row(label, f"{report[made]:.3f}", f"{report[real]:.3f}")
    yield table


def _words(row):
    if row["kind"] == "given":
        return row["instruction"]
    if row["kind"] in ("partial", "wrong"):
        return f"{'only' if row['kind'] == 'partial' else 'wrong,'} {', '.join(row['named'])}"
    if row["kind"] == "none":
        return f"none, {row['passes']} {'pass' if row['passes'] == 1 else 'passes'}"
    return row["kind"] + (", mask" if row["mask"] else "")


def _notes(row):
    if "psnr_luma" in row:
        yield f"on luma {row['input_psnr_luma']:.2f}, {row['psnr_luma']:.2f}"
    if "psnr_to_input" in row:
        yield f"{row['psnr_to_input']:.2f} dB to the input"
    if "nearer_to_named" in row:
        # Both figures, because an output that is its input is nearer to it too.
        yield f"with the rest left in {row['input_psnr_to_named']:.2f}, {row['psnr_to_named']:.2f}"
        yield f"nearer to that than to clean in {100 * row['nearer_to_named']:.0f} %"
    if "found" in row:
        found = (f"{name} {100 * share:.0f} %" for name, share in row["found"].items())
        yield f"found {', '.join(found) or 'nothing'}"
    if "diagnosed" in row:
        yield f"exactly those present in {100 * row['diagnosed']:.0f} %"
