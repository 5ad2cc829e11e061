"""What multiply-adds promise and the clock gives, block by block."""

from collections.abc import Sequence
from pathlib import Path

from npmobilenet.analysis.blocks import Comparison
from npmobilenet.analysis.machine import threads_text
from npmobilenet.analysis.plots.figure import new_figure, save_figure
from npmobilenet.analysis.plots.kinds import color

_HEIGHT = 0.8  # of all bars of one comparison


def plot_blocks(found: Sequence[Comparison], path: Path) -> None:
    """Save two bar charts: times as a share of the standard convolution's, and shares of the peak.

    A black line over a bar says what it would be if time went with multiply-adds.

    Raises
    ------
    ValueError
        If matplotlib is not installed, or the ending of ``path`` is no format.
    OSError
        If the file cannot be written.
    """
    rows = sum(len(comparison.contenders) for comparison in found)
    figure = new_figure(width=10.0, height=1.6 + 0.36 * rows)
    times, shares = figure.subplots(1, 2, sharey=True)
    names: dict[str, str] = {}
    for group, comparison in enumerate(found):
        base = comparison.contenders[0]
        height = _HEIGHT / len(comparison.contenders)
        for number, one in enumerate(comparison.contenders):
            y = group - _HEIGHT / 2 + (number + 0.5) * height
            names[one.name] = shade = color(one.name)
            ratio = one.seconds / base.seconds
            times.barh(y, ratio, height * 0.9, color=shade)
            times.plot([one.macs / base.macs] * 2, [y - height * 0.45, y + height * 0.45], "k")
            text = f"{ratio:.2f} ({one.seconds * 1e3:.2f} ms)"
            end = max(ratio, one.macs / base.macs)
            times.annotate(text, (end, y), (4, 0), textcoords="offset points", va="center", size=8)
            shares.barh(y, 100 * one.share_of_peak, height * 0.9, color=shade)
            text = f"{one.share_of_peak:.0%}"
            place = (100 * one.share_of_peak, y)
            shares.annotate(text, place, (4, 0), textcoords="offset points", va="center", size=8)
    times.set_yticks(range(len(found)), [comparison.title for comparison in found], fontsize=8)
    times.invert_yaxis()
    times.set_xlim(0, 1.4 * times.get_xlim()[1])
    times.set_xlabel("time as a share of the standard convolution's\n(black line: multiply-adds)")
    shares.set_xlim(0, 112)
    shares.axvline(100, color="C3", linestyle="--", linewidth=1)
    shares.set_xlabel(f"% of the FMA peak, {found[0].roofs.peak / 1e9:.0f} GFLOP/s")
    for name, shade in names.items():
        shares.barh(0, 0, color=shade, label=name)
    threads = threads_text(found[0].threads)
    figure.suptitle(f"{found[0].roofs.cpu}, {threads}", fontsize=10)
    figure.legend(loc="outside lower center", ncols=3, fontsize=8)
    save_figure(figure, path)
