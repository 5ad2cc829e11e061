"""A parity result as a report of one page."""

from npmobilenet.analysis.document import Document, Figure, Heading, Paragraph, Part, Table
from npmobilenet.analysis.parity.report import Parity
from npmobilenet.analysis.parity.text import (
    HEADINGS,
    HOW_TO_READ,
    fused_text,
    layer_row,
    reference_verdict,
    summary_rows,
    verdict,
)
from npmobilenet.analysis.plots.parity import error_figure, rounding_figure, ulp_figure

_WORDS = frozenset({0, 1})


def parity_document(found: Parity) -> Document:
    """Verdict, figures, every layer, and what is needed to do it again.

    Raises
    ------
    ValueError
        If matplotlib is not installed.
    """
    rows = found.compared()
    marked = {
        index
        for index, row in enumerate(rows)
        if not row.within_limits or (row.our_rounding and not row.our_rounding.explained)
    }
    parts: list[Part] = [
        Paragraph(verdict(found), verdict=found.passed),
        Paragraph(reference_verdict(found)),
        Table(("", ""), summary_rows(found), _WORDS),
        Heading("Error of each layer"),
        Figure(
            "errors",
            "Largest absolute error against float64 over the layer's largest absolute value. "
            "Below the dashed line is allowed.",
            error_figure(found),
        ),
        Heading("What rounding explains"),
        Figure(
            "rounding",
            "Each layer by itself, fed with the run's own inputs: its error as a share of the "
            "a-priori bound of rounding. Above 1 it computes something else. Layers that only "
            "choose or move values add nothing and have no point.",
            rounding_figure(found),
        ),
        Heading("Units in the last place"),
        Figure(
            "ulps",
            "Share of each layer's values by distance in units in the last place of float32. "
            "Values near zero that are sums of large terms are many units off and yet exact as "
            "sums go.",
            ulp_figure(found),
        ),
        Heading("Layers"),
        Table(HEADINGS, [layer_row(row) for row in rows], marked=frozenset(marked)),
        *(Paragraph(text) for text in HOW_TO_READ),
    ]
    if fused := fused_text(found):
        lines = [line.split(": ", 1) for line in fused.splitlines()]
        parts.append(
            Table(
                ("computed in", "layers"), lines, _WORDS, folded="Layers that are fused into others"
            )
        )
    parts += [Heading("How it was made"), Table(("", ""), _facts(found), _WORDS)]
    return Document(f"{found.network}: {found.ours} against {found.reference}", parts)


def _facts(found: Parity) -> list[tuple[str, str]]:
    return [
        ("weights", found.source),
        ("SHA-256 of the tensors", found.weights_digest),
        *(("input", name) for name in found.inputs),
        *found.facts.items(),
    ]
