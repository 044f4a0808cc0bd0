"""Figures of what was measured. They need the extra `figures`."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


def check_installed() -> None:
    """Raises ImportError where figures cannot be drawn."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise ImportError(f"{error}; install the extra: pip install '.[figures]'") from error


def frontier(points: Sequence, level: int) -> np.ndarray:
    """Draws quality against time; what has no score is a line.

    Args:
        points: `training.frontier.Point`s.
        level: standard deviation of the noise that was removed, of 255.

    Returns:
        uint8 `(H, W, 3)`.
    """
    looks = {
        "ours": {"color": "tab:red", "marker": "o", "label": "ours"},
        "measured": {"color": "tab:blue", "marker": "s", "label": "measured here"},
        "published": {"color": "tab:grey", "marker": "D", "label": "published, by arithmetic"},
    }

    def draw(axes):
        for kind, look in looks.items():
            some = [point for point in points if point.kind == kind and point.psnr is not None]
            if some:
                axes.scatter([p.milliseconds for p in some], [p.psnr for p in some], s=50, **look)
        for point in points:
            if point.psnr is None:
                axes.axvline(point.milliseconds, color="tab:blue", linestyle=":")
            height = axes.get_ylim()[0] if point.psnr is None else point.psnr
            place = {"xytext": (8, -4 if point.psnr else 8), "textcoords": "offset points"}
            axes.annotate(point.name, (point.milliseconds, height), **place)
        axes.margins(x=0.15)
        if any(point.psnr is not None for point in points):
            axes.legend(loc="lower left")

    return _drawn(
        draw,
        (9, 5.5),
        xscale="log",
        xlabel="milliseconds for 256x256 pixels, two threads",
        ylabel=f"PSNR on CBSD68 at noise {level}, dB",
    )


def reliability(report: dict[str, Any]) -> np.ndarray:
    """Draws how often what was said came true, against how likely it was said to be.

    Args:
        report: of `training.diagnosing.measure`.

    Returns:
        uint8 `(H, W, 3)`: a dot for each of its bins, the larger the more was said there. On the
        line, probabilities are what they claim to be.

    Reference: Guo et al., "On Calibration of Modern Neural Networks", 2017.
    """
    bins = report["reliability"]
    counts = np.array([row["count"] for row in bins])

    def draw(axes):
        axes.plot([0, 1], [0, 1], color="tab:grey", linestyle=":")
        said, true = ([row[name] for row in bins] for name in ("said", "true"))
        axes.plot(said, true, color="tab:red")
        axes.scatter(said, true, s=300 * np.sqrt(counts / counts.max()), color="tab:red")
        axes.set_title(f"expected calibration error {100 * report['calibration_error']:.1f} %")

    return _drawn(draw, (5, 5), xlabel="probability", ylabel="share that came true")


def scaling(sizes: Sequence) -> np.ndarray:
    """Draws time and memory against the number of pixels, and a line of time that grows with it.

    Args:
        sizes: `training.scaling.Size`s, the smallest first.

    Returns:
        uint8 `(H, W, 3)`.
    """
    pixels = [size.megapixels for size in sizes]

    def draw(axes):
        rate = sizes[-1].seconds / sizes[-1].megapixels
        ends = np.array([pixels[0], pixels[-1]])
        axes.plot(ends, rate * ends, color="tab:grey", linestyle=":", label="proportional")
        axes.plot(pixels, [s.seconds for s in sizes], color="tab:red", marker="o", label="seconds")
        memory = axes.twinx()
        used = [size.memory for size in sizes]
        memory.plot(pixels, used, color="tab:blue", marker="s", label="memory")
        memory.set(ylabel="memory at the peak, MB", ylim=(0, 2 * max(used)))
        axes.legend(loc="upper left")
        memory.legend(loc="lower right")

    return _drawn(draw, (7, 4.5), xscale="log", yscale="log", xlabel="megapixels", ylabel="seconds")


def _drawn(draw: Callable, inches: tuple[float, float], **axes) -> np.ndarray:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(inches, dpi=110, layout="tight")
    canvas = FigureCanvasAgg(figure)
    plot = figure.add_subplot(**axes)
    plot.grid(alpha=0.3, which="both")
    draw(plot)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
