"""How far to go from the old head to the new one.

Weights between the old and the fine-tuned network often keep what both can (WiSE-FT; Wortsman
et al., Robust fine-tuning of zero-shot models, CVPR 2022). After every epoch some points on the
way are tried; the one is kept that is best on tiles which neither head was trained on, among
those at which no old class gets worse.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from napari_crlm_spa.core.classifier.training.compare import (
    Judged,
    balanced_loss,
    compare,
)
from napari_crlm_spa.core.classifier.training.head import head_logits

#: Points on the way from the old head (0) to the new one (1), beside the old one itself.
SHARES = tuple(round(0.1 * step, 1) for step in range(1, 11))

State = Mapping[str, Tensor]


@dataclass(frozen=True, slots=True, eq=False)
class Jury:
    """Features and labels by which a head is chosen; either part may be empty."""

    new_features: NDArray[np.float16]
    new_labels: NDArray[np.int64]
    old_features: NDArray[np.float16]
    old_labels: NDArray[np.int64]

    def ask(self, head: nn.Module) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the logits of the new and of the old tiles."""
        return head_logits(head, self.new_features), head_logits(head, self.old_features)

    def loss(self, new: NDArray[np.float32], old: NDArray[np.float32]) -> float:
        """Return the mean of the balanced cross-entropies of new and old tiles' logits."""
        parts = [
            balanced_loss(labels, logits)
            for labels, logits in ((self.new_labels, new), (self.old_labels, old))
            if len(labels)
        ]
        return float(np.mean(parts)) if parts else float("nan")

    def judged(self, before: nn.Module, after: nn.Module) -> tuple[Judged | None, Judged | None]:
        """Return what both heads say of the new and of the old tiles."""
        pairs = zip((self.new_labels, self.old_labels), self.ask(before), self.ask(after),
                    strict=True)  # fmt: skip
        new, old = (Judged(*parts) if len(parts[0]) else None for parts in pairs)
        return new, old


@dataclass(slots=True)
class Choice:
    """The best head so far: as yet the old one.

    Parameters
    ----------
    old_head
        The head that was started from.
    classes, margin
        As in `compare`.
    share, epoch
        How far the best head lies on the way from the old one to that of which epoch.
    """

    old_head: nn.Module
    jury: Jury
    classes: Sequence[str]
    margin: float
    share: float = 0.0
    epoch: int = 0
    loss: float = math.inf
    state: dict[str, Tensor] = field(default_factory=dict)
    _before: NDArray[np.float32] | None = field(default=None, init=False)

    def consider(self, head: nn.Module, epoch: int) -> bool:
        """Try the points on the way to `head`; return whether one is better than all before.

        Without new tiles to judge by, the farthest point at which no old class gets worse is
        taken, and every epoch replaces the one before.
        """
        old, new = self.old_head.state_dict(), head.state_dict()
        tried = copy.deepcopy(head)
        blind = not len(self.jury.new_labels)
        better = False
        if blind:
            self.share, self.epoch, self.loss, self.state = 0.0, epoch, 0.0, {}
        elif math.isinf(self.loss):
            self.loss = self.jury.loss(*self.jury.ask(self.old_head))
        for share in SHARES:
            state = between(old, new, share)
            tried.load_state_dict(state)
            new_logits, old_logits = self.jury.ask(tried)
            loss = -share if blind else self.jury.loss(new_logits, old_logits)
            if loss < self.loss and not self._loses(old_logits):
                self.share, self.epoch, self.loss, self.state = share, epoch, loss, state
                better = True
        return better

    def apply(self, head: nn.Module) -> None:
        """Set a head to the best one."""
        head.load_state_dict(self.state or self.old_head.state_dict())

    def _loses(self, after: NDArray[np.float32]) -> bool:
        if self._before is None:
            self._before = head_logits(self.old_head, self.jury.old_features)
        old = Judged(self.jury.old_labels, self._before, after)
        return bool(compare(None, old, self.classes, self.margin).worse)


def between(old: State, new: State, share: float) -> dict[str, Tensor]:
    """Return the state at a share of the way from `old` to `new`."""
    return {name: old[name].lerp(new[name], share) for name in old}
