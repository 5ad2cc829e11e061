"""The papers' tables: what reproduces, what does not, and that the documentation says so."""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from npmobilenet.analysis.published import SOURCES, published_tables, verdict
from npmobilenet.analysis.published.markdown import tables_markdown

ERRATA = Path(__file__).parents[2] / "docs" / "errata.md"

DIFFERS = {
    ("Table 1", "conv_dw_13", "type / stride", "Conv dw / s2"),
    ("Table 2", "Conv 3x3", "mult-adds, %", "1.19"),
    ("Table 4", "Conv MobileNet", "mult-adds, M", "4866"),
    ("Table 10", "1.0 MobileNet-224", "mult-adds, M", "569"),
    ("Table 10", "1.0 MobileNet-192", "mult-adds, M", "418"),
    ("Table 3", "56 x 56", "V2, channels", "32"),
    ("Table 3", "56 x 56", "V2, K", "200"),
    ("Table 3", "28 x 28", "V2, channels", "64"),
    ("Table 3", "28 x 28", "V2, K", "100"),
    ("Table 3", "14 x 14", "V2, channels", "160"),
    ("Table 3", "14 x 14", "V2, K", "62"),
    ("Table 3", "7 x 7", "V1, K", "199"),
    ("Table 3", "7 x 7", "V2, K", "32"),
    ("Table 3", "max, early versions", "V2, K", "200"),
    ("Table 4", "MobileNetV1", "mult-adds, M", "575"),
    ("Table 4", "MobileNetV2 (1.4)", "mult-adds, M", "585"),
    ("Table 4", "MobileNetV2 (1.4)", "parameters, M", "6.9"),
    ("Section 4", "smallest", "mult-adds, M", "7"),
    ("Section 4", "largest", "mult-adds, M", "585"),
    ("Section 4", "largest", "parameters, M", "6.9"),
    ("mobilenet_v1.md", "MobileNet_v1_0.75_224", "MACs, M", "317"),
    ("mobilenet_v1.md", "MobileNet_v1_0.75_192", "MACs, M", "233"),
    ("mobilenet_v1.md", "MobileNet_v1_0.75_160", "MACs, M", "162"),
    ("mobilenet_v1.md", "MobileNet_v1_0.75_128", "MACs, M", "104"),
    ("mobilenet_v1.md", "MobileNet_v1_0.5_224", "MACs, M", "150"),
    ("mobilenet_v1.md", "MobileNet_v1_0.25_192", "MACs, M", "34"),
    ("mobilenet_v1.py, padding", "200 x 200", "last feature map", "7x7"),
    ("hosted models", "Mobilenet_V1_0.5", "quantised, MB", "1.4"),
    ("hosted models", "Mobilenet_V2_1.0", "quantised, MB", "3.4"),
}


@pytest.fixture(scope="module")
def tables():
    return published_tables()


def test_what_does_not_reproduce(tables):
    found = [
        (table.name, figure.row, figure.quantity, figure.printed)
        for table in tables
        for figure in table.differing
    ]
    assert len(found) == len(DIFFERS)
    assert set(found) == DIFFERS


def test_every_difference_has_a_reason_and_nothing_else(tables):
    for table in tables:
        for figure in table.figures:
            assert bool(figure.reason) == (figure.verdict == "differs"), (table.name, figure)


def test_every_table_is_there(tables):
    names = [table.name for table in tables]
    assert names[:10] == [f"Table {number}" for number in range(1, 11)]  # V1
    assert names[10:14] == ["Table 2", "Table 3", "Table 4", "Section 4"]  # V2
    checkpoints = {table.name: len({figure.row for figure in table.figures}) for table in tables}
    assert checkpoints["mobilenet_v1.md"] == 16
    assert checkpoints["mobilenet/README.md"] == 22


def test_figures_that_others_depend_on(tables):
    ours = {
        (table.source.split(",")[0], table.name, figure.row, figure.quantity): figure.ours
        for table in tables
        for figure in table.figures
    }
    v1 = "MobileNet V1"
    full = ours[v1, "Table 4", "Conv MobileNet", "mult-adds, M"]
    assert full == Fraction(4_867_293_184, 10**6)
    pointwise = ours[v1, "Table 2", "Conv 1x1", "mult-adds, %"]
    assert pointwise == Fraction(100 * 539_492_352, 568_740_352)
    separable = ours[v1, "Table 3", "Depthwise Separable Conv", "mult-adds, M"]
    assert separable == Fraction(14 * 14 * 512 * (9 + 512), 10**6)


def test_sources_can_be_chosen():
    assert published_tables(["v2"]) == SOURCES["v2"]()
    with pytest.raises(ValueError, match="source must be one of v1, v2, slim, tflite, found 'v9'"):
        published_tables(["v9"])


@pytest.mark.parametrize(
    ("printed", "ours", "step", "expected"),
    [
        ("569", Fraction(5_687, 10), "", "same"),
        ("290", Fraction(290_675, 1000), "", "cut off"),
        ("291", Fraction(290_675, 1000), "", "same"),
        ("150", Fraction(149_497, 1000), "", "differs"),
        ("150", Fraction(1495, 10), "", "same"),
        ("1600", Fraction(1_605_632, 1000), "100", "same"),
        ("1600", Fraction(1_605_632, 1000), "", "differs"),
        ("3,185,088", Fraction(3_185_088), "", "same"),
        ("1.32", Fraction(132, 100), "", "same"),
    ],
)
def test_verdict(printed, ours, step, expected):
    assert verdict(printed, ours, step) == expected


@given(st.integers(0, 10**12), st.integers(0, 4))
def test_what_is_rounded_reproduces(millionths, digits):
    ours = Fraction(millionths, 10**6)
    exact = Decimal(millionths).scaleb(-6)
    rounded = exact.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    assert verdict(str(rounded), ours) == "same"
    other = rounded + 2 * Decimal(1).scaleb(-digits)
    assert verdict(str(other), ours) == "differs"


def test_documentation_holds_what_the_command_prints(tables):
    assert tables_markdown(tables, errata=True) in ERRATA.read_text(encoding="utf-8")
