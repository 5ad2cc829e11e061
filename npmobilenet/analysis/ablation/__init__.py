"""What changes when one decision is undone: padding, epsilon, arithmetic and others."""

from npmobilenet.analysis.ablation.collecting import Collected, LayerDrift
from npmobilenet.analysis.ablation.drift import Ablations, Drift, ablate
from npmobilenet.analysis.ablation.pictures import classes_of, find_pictures
from npmobilenet.analysis.ablation.switches import ABLATIONS, SWITCHES, Ablation, chosen

__all__ = [
    "ABLATIONS",
    "SWITCHES",
    "Ablation",
    "Ablations",
    "Collected",
    "Drift",
    "LayerDrift",
    "ablate",
    "chosen",
    "classes_of",
    "find_pictures",
]
