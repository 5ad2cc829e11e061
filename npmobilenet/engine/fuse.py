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
        alone = before is not None and readers[step.source] == 1
        alone = alone and replaced.get(step.source) is before
        if alone and isinstance(step, Convolution):
            if isinstance(before, Depthwise) and step.pointwise:
                joined: Step = Separable(
                    before.source,
                    _layers(before, step),
                    before,
                    step,
                    inner=step.inner,
                    views=step.views,
                )
                fused[-1] = joined
            elif isinstance(before, ExpandDepthwise) and step.pointwise:
                joined = Inverted(
                    before.source,
                    _layers(before, step),
                    before.expand,
                    before.depthwise,
                    step,
                    inner=step.inner,
                    views=step.views,
                )
                fused[-1] = joined
            else:
                fused.append(step)
        elif alone and _expands(step, before):
            assert isinstance(before, Convolution)  # noqa: S101
            assert isinstance(step, Depthwise)  # noqa: S101
            fused[-1] = ExpandDepthwise(
                before.source,
                _layers(before, step),
                before,
                step,
                inner=step.inner,
                views=step.views,
            )
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


def _layers(before: Step, step: Step) -> list[str]:
    """What both cover; the first part of a layer has the name of the second."""
    return [*(before.layers[:-1] if before.inner else before.layers), *before.views, *step.layers]


def _expands(step: Step, before: Step | None) -> bool:
    return (
        isinstance(step, Depthwise)
        and isinstance(before, Convolution)
        and before.pointwise
        and not before.adds
        and step.multiplier == 1
    )
