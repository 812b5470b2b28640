"""How far to go from the old head to the new one.

Weights between the old and the fine-tuned network often keep what both can (WiSE-FT; Wortsman
et al., Robust fine-tuning of zero-shot models, CVPR 2022). Of some points on the way, the one is
taken that is best on tiles which neither head was trained on, among those at which no old class
loses more than the margin.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from napari_crlm_spa.core.classifier.training.compare import Judged, balanced_loss, recalls
from napari_crlm_spa.core.classifier.training.head import head_logits

#: Points on the way from the old head (0) to the new one (1).
SHARES = tuple(round(0.1 * step, 1) for step in range(11))

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

    def loss(self, head: nn.Module) -> float:
        """Return the mean of the balanced cross-entropies on new and old tiles."""
        new, old = self.ask(head)
        parts = [
            balanced_loss(labels, logits)
            for labels, logits in ((self.new_labels, new), (self.old_labels, old))
            if len(labels)
        ]
        return float(np.mean(parts)) if parts else float("nan")

    def lost(self, head: nn.Module, before: NDArray[np.float32], margin: float) -> bool:
        """Whether an old class loses more than the margin; `before` are the old head's logits."""
        if not len(self.old_labels):
            return False
        then = recalls(self.old_labels, before)
        now = recalls(self.old_labels, head_logits(head, self.old_features))
        return any(then[label] - now[label] > margin + 1e-9 for label in then)

    def judged(self, before: nn.Module, after: nn.Module) -> tuple[Judged | None, Judged | None]:
        """Return what both heads say of the new and of the old tiles."""
        pairs = zip((self.new_labels, self.old_labels), self.ask(before), self.ask(after),
                    strict=True)  # fmt: skip
        new, old = (Judged(*parts) if len(parts[0]) else None for parts in pairs)
        return new, old


def choose_share(head: nn.Module, old: State, new: State, jury: Jury, margin: float) -> float:
    """Set `head` to the best point between two states and return how far it lies.

    Without new tiles to judge by, that is the farthest point at which no old class is lost.
    """
    head.load_state_dict(dict(old))
    before = head_logits(head, jury.old_features)
    best, lowest = 0.0, np.inf
    for share in SHARES:
        head.load_state_dict(between(old, new, share))
        if jury.lost(head, before, margin):
            continue
        loss = jury.loss(head) if len(jury.new_labels) else -share
        if loss < lowest:
            best, lowest = share, loss
    head.load_state_dict(between(old, new, best))
    return best


def between(old: State, new: State, share: float) -> dict[str, Tensor]:
    """Return the state at a share of the way from `old` to `new`."""
    return {name: old[name].lerp(new[name], share) for name in old}
