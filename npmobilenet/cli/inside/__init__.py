"""``npmobilenet inside``: what a trained network has learnt and does."""

import click

from npmobilenet.cli.inside.cam import cam
from npmobilenet.cli.inside.channels import channels
from npmobilenet.cli.inside.checkpoint import checkpoint
from npmobilenet.cli.inside.features import features
from npmobilenet.cli.inside.filters import filters_command


@click.group()
def inside() -> None:
    """Look inside a trained network: feature maps, filters, channels, evidence for a class."""


for command in (cam, channels, checkpoint, features, filters_command):
    inside.add_command(command)
