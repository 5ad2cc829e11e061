"""The group of all commands, and how errors look."""

import warnings

import click

from npmobilenet import __version__
from npmobilenet.cli.ablate import ablate_command
from npmobilenet.cli.app import app_command
from npmobilenet.cli.blocks import blocks_command
from npmobilenet.cli.classify import classify
from npmobilenet.cli.cost import cost_command
from npmobilenet.cli.demo import demo
from npmobilenet.cli.inside import inside
from npmobilenet.cli.ladder import ladder
from npmobilenet.cli.output import complain, print_warning
from npmobilenet.cli.papers import papers
from npmobilenet.cli.parity import parity_command
from npmobilenet.cli.profile import profile_command
from npmobilenet.cli.roofline import roofline_command
from npmobilenet.cli.slices import slices_command
from npmobilenet.cli.summary import summary
from npmobilenet.cli.sweep import sweep_command
from npmobilenet.cli.train_head import train_head
from npmobilenet.cli.warmup import warmup
from npmobilenet.cli.weights import weights
from npmobilenet.errors import NpMobileNetError


class _Group(click.Group):
    """Turns the library's exceptions into one line on stderr and exit status 1."""

    def invoke(self, ctx: click.Context) -> object:
        warnings.showwarning = print_warning
        try:
            return super().invoke(ctx)
        except (NpMobileNetError, OSError, ValueError) as error:
            complain(error)
            ctx.exit(1)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="npmobilenet")
def main() -> None:
    """MobileNet in NumPy: classify pictures, look inside networks, read weights."""


for command in (
    ablate_command,
    app_command,
    blocks_command,
    classify,
    cost_command,
    demo,
    inside,
    ladder,
    papers,
    parity_command,
    profile_command,
    roofline_command,
    slices_command,
    summary,
    sweep_command,
    train_head,
    warmup,
    weights,
):
    main.add_command(command)
