"""Convolutional networks with an eighth of their channels, so that networks of fixed width become small."""

import contextlib
import math

from torch import nn


def _fewer(count, by):
    return count // by if count % by == 0 and count > by else count


@contextlib.contextmanager
def narrow(by=8):
    """Within it, every layer is made with its numbers of channels divided by `by`, where they are multiples of it."""
    before = {kind: kind.__init__ for kind in (nn.Linear, nn.modules.conv._ConvNd, nn.modules.batchnorm._NormBase, nn.GroupNorm)}

    def linear(self, in_features, out_features, *rest, **named):
        before[nn.Linear](self, _fewer(in_features, by), _fewer(out_features, by), *rest, **named)

    def convolution(self, ins, outs, kernel, stride, padding, dilation, transposed, output_padding, groups, *rest, **named):
        depthwise = groups == ins
        ins, outs = _fewer(ins, by), _fewer(outs, by)
        groups = ins if depthwise else math.gcd(groups, ins, outs)
        before[nn.modules.conv._ConvNd](self, ins, outs, kernel, stride, padding, dilation, transposed, output_padding, groups, *rest, **named)

    def norm(self, features, *rest, **named):
        before[nn.modules.batchnorm._NormBase](self, _fewer(features, by), *rest, **named)

    def groups(self, groups, channels, *rest, **named):
        channels = _fewer(channels, by)
        before[nn.GroupNorm](self, math.gcd(groups, channels), channels, *rest, **named)

    changed = (linear, convolution, norm, groups)
    try:
        for kind, initialise in zip(before, changed):
            kind.__init__ = initialise
        yield
    finally:
        for kind, initialise in before.items():
            kind.__init__ = initialise
