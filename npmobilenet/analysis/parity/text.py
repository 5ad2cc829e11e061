"""A parity result in words and tables, for the terminal and for reports."""

from collections.abc import Sequence

from npmobilenet.analysis.parity.difference import PERCENTILES, Difference
from npmobilenet.analysis.parity.report import LayerParity, Parity

HEADINGS = (
    "layer",
    "largest value",
    "our error",
    "its error",
    "ratio",
    "of allowed",
    "apart max",
    "mean",
    "relative",
    *(f"ULP {percent} %" for percent in PERCENTILES),
    "1 - cosine",
    "our bound",
    "its bound",
)
"""Of the table of layers, ours and the reference's ("its")."""

HOW_TO_READ = (
    "Errors are the largest absolute ones of a layer against the same network in float64 in "
    "plain NumPy; the ratio is ours over the reference's. Apart is ours from the reference's: "
    "largest and mean absolute difference, the largest over the largest value, percentiles of the "
    "distance in units in the last place of float32, and one minus the cosine.",
    "Bound: each layer is also judged by itself. Fed with the inputs that the run itself had, how "
    "far is it from the exact result, as a share of what rounding can do at most? For a sum of n "
    "products that is gamma(n) times the sum of |x| |w|, gamma(n) = n u / (1 - n u) and u = 2^-24, "
    "with any order of the terms. Above 1 a layer computes something else: another weight, "
    "epsilon, padding or precision. Fused layers are judged together.",
)


def verdict(found: Parity) -> str:
    """Whether it passed and why not, in a sentence or two."""
    limits = found.limits
    rule = f"at most {limits.threshold:g} of the layer's largest value"
    if any(row.reference for row in found.layers):
        rule += f", and {limits.factor:g} x the reference's + {limits.floor:g} of that value"
    if found.passed:
        return (
            f"Passed: every layer's difference is explained by rounding, and every error is {rule}."
        )
    reasons = []
    if found.first_divergence is not None:
        reasons.append(
            f"{found.first_divergence} is the first layer that rounding does not explain"
        )
    if found.beyond_limits:
        names = ", ".join(found.beyond_limits[:3])
        more = len(found.beyond_limits) - 3
        names += f" and {more} more" if more > 0 else ""
        reasons.append(f"the error is beyond the limits ({rule}) in {names}")
    return f"Failed: {'; '.join(reasons)}."


def reference_verdict(found: Parity) -> str:
    """What the same judgement says of the reference."""
    if all(row.reference_rounding is None for row in found.layers):
        return "The reference is the oracle itself."
    if found.reference_divergence is None:
        return f"{found.reference}: every layer is explained by rounding too."
    return (
        f"{found.reference} itself: {found.reference_divergence} is the first layer that rounding "
        "does not explain."
    )


def layer_row(row: LayerParity) -> tuple[str, ...]:
    """The cells of one layer, as many as ``HEADINGS``."""
    ours, reference, apart = row.ours, row.reference, row.apart
    used = None if ours is None or not row.allowed else ours.max_absolute / row.allowed
    return (
        row.name,
        f"{row.largest:.3g}",
        number(field(ours, "max_absolute")),
        number(field(reference, "max_absolute")),
        "" if row.ratio is None else f"{row.ratio:.2f}",
        "" if used is None else f"{used:.2g}",
        number(field(apart, "max_absolute")),
        number(field(apart, "mean_absolute")),
        number(field(apart, "relative")),
        *_ulps(apart),
        number(field(apart, "one_minus_cosine")),
        _two_digits(field(row.our_rounding, "bound_used")),
        _two_digits(row.reference_bound_used),
    )


def fused_text(found: Parity) -> str:
    """Which layers are computed in which, in a line for each; empty if none are."""
    groups: dict[str, list[str]] = {}
    for row in found.layers:
        if row.fused_into is not None:
            groups.setdefault(row.fused_into, []).append(row.name)
    return "\n".join(f"{into}: {', '.join(names)}" for into, names in groups.items())


def summary_rows(found: Parity) -> Sequence[tuple[str, str]]:
    """What one wants to know first."""
    rows = found.compared()
    worst = max(rows, key=_of_allowed)
    last = rows[-1]
    fused = ", the others are fused into them" if len(rows) < len(found.layers) else ""
    facts = [
        ("layers compared", f"{len(rows)} of {len(found.layers)}{fused}"),
        ("nearest to its limit", f"{worst.name}: {_of_allowed(worst):.2g} of what is allowed"),
    ]
    ratios = sorted(row.ratio for row in rows if row.ratio is not None)
    if ratios:
        middle = ratios[len(ratios) // 2]
        facts.append(
            ("our error / the reference's", f"median {middle:.2f}, worst {ratios[-1]:.2f}")
        )
    roundings = [row.our_rounding for row in rows if row.our_rounding]
    used = max(rounding.bound_used for rounding in roundings)
    facts.append(("most of the rounding bound used", _two_digits(used)))
    if last.apart is not None:
        facts.append((f"output {last.name}, apart", f"{last.apart.max_absolute:.2g} at most"))
    return facts


def field(found: object | None, name: str) -> float | None:
    """A field of what may not be there."""
    return None if found is None else float(getattr(found, name))


def number(value: float | None) -> str:
    """Two digits; empty where there is none."""
    if value is None:
        return ""
    return "0" if value == 0 else f"{value:.1e}"


def _of_allowed(row: LayerParity) -> float:
    if row.ours is None or row.allowed is None or row.ours.max_absolute == 0:
        return 0.0
    return row.ours.max_absolute / row.allowed if row.allowed else float("inf")


def _ulps(difference: Difference | None) -> tuple[str, ...]:
    if difference is None:
        return ("",) * len(PERCENTILES)
    return tuple(_short(ulps) for ulps in difference.ulp_percentiles)


def _short(ulps: float) -> str:
    return f"{ulps:.0f}" if ulps < 10_000 else f"{ulps:.0e}".replace("e+0", "e")


def _two_digits(share: float | None) -> str:
    return "" if share is None else f"{share:.2g}"
