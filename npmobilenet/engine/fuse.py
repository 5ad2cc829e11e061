"""Which steps are run as one kernel."""

from collections import Counter

from npmobilenet.engine.steps import (
    Convolution,
    Depthwise,
    ExpandDepthwise,
    Inverted,
    Separable,
    Step,
)


def fuse(steps: list[Step]) -> list[Step]:
    """Depthwise separable blocks and inverted residuals as one step each, in running order."""
    readers = Counter(source for step in steps for source in step.inputs)
    fused: list[Step] = []
    replaced: dict[Step | None, Step] = {}
    for step in steps:
        before = fused[-1] if fused else None
        if _only_reader(step, before, readers) and isinstance(step, Convolution):
            if isinstance(before, Depthwise) and step.pointwise:
                layers = before.layers + step.layers
                joined: Step = Separable(before.source, layers, before, step)
                fused[-1] = joined
            elif isinstance(before, ExpandDepthwise) and step.pointwise:
                layers = before.layers + step.layers
                joined = Inverted(before.source, layers, before.expand, before.depthwise, step)
                fused[-1] = joined
            else:
                fused.append(step)
        elif _expands(step, before, readers):
            assert isinstance(before, Convolution)  # noqa: S101
            assert isinstance(step, Depthwise)  # noqa: S101
            layers = before.layers + step.layers
            fused[-1] = ExpandDepthwise(before.source, layers, before, step)
        else:
            fused.append(step)
        replaced[step] = fused[-1]
    for step in fused:
        step.source = replaced.get(step.source, step.source)
        last = getattr(step, "pointwise", None) if isinstance(step, Separable) else step
        last = step.project if isinstance(step, Inverted) else last
        if isinstance(last, Convolution) and last.adds:
            last.skip = replaced.get(last.skip, last.skip)
    return fused


def _only_reader(step: Step, before: Step | None, readers: Counter[Step | None]) -> bool:
    if before is None or before.name != (step.source.name if step.source else None):
        return False
    return readers[step.source] == 1


def _expands(step: Step, before: Step | None, readers: Counter[Step | None]) -> bool:
    return (
        isinstance(step, Depthwise)
        and isinstance(before, Convolution)
        and before.pointwise
        and not before.adds
        and step.multiplier == 1
        and _only_reader(step, before, readers)
    )
