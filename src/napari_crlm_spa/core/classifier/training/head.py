"""Training the head alone, on features: seconds, where the network would take minutes.

Every step shows new tiles and tiles of the reference set (rehearsal; Robins, Connection Science
1995;7:123-146), so that classes which the new tiles lack are not unlearned. How often a class is
shown is taken out of the loss again (logit adjustment; Menon et al., ICLR 2021), else the head
would learn that the classes of the new tiles are the common ones. Reference tiles lie closer to
their class's middle than tiles of unseen slides do, since the trunk was trained on them; they are
moved along the difference of two others of their class (our assumption, `spread`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from napari_crlm_spa.core.classifier.training.recipe import TrainingOptions
from napari_crlm_spa.core.classifier.training.sampling import draw_epoch, tile_weights
from napari_crlm_spa.core.classifier.training.trainer import (
    build_optimizer,
    learning_rate_at,
    seed_epoch,
)
from napari_crlm_spa.errors import TrainingError

_CLIP_NORM = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Features of labeled tiles.

    Parameters
    ----------
    features
        Shape (views, n, f).
    labels, slides
        Of each tile.
    """

    features: NDArray[np.float16]
    labels: NDArray[np.int64]
    slides: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)

    def shares(self, n_classes: int, balanced: bool = True) -> NDArray[np.float64]:
        """Return how often each class is drawn, shape (n_classes,)."""
        weights = self.weights() if balanced else np.full(len(self), 1.0 / len(self))
        return np.asarray(np.bincount(self.labels, weights, n_classes), np.float64)

    def weights(self) -> NDArray[np.float64]:
        """Return the probability with which each tile is drawn: classes equally often."""
        return tile_weights(self.labels, self.slides, np.zeros(len(self), bool), 0.5)


class HeadTrainer:
    """Trains a head epoch by epoch.

    Parameters
    ----------
    head
        Changed in place.
    new
        Tiles to learn.
    old
        Reference tiles to rehearse; may be empty.
    options
        The recipe; `rehearsal` is the share of the loss that the old tiles have.
    """

    def __init__(
        self, head: nn.Module, new: Samples, old: Samples, n_classes: int, options: TrainingOptions
    ) -> None:
        self.head, self.new, self.old, self.options = head, new, old, options
        self.rehearsal = options.rehearsal if len(old) else 0.0
        shares = (1.0 - self.rehearsal) * new.shares(n_classes, options.balanced)
        if self.rehearsal:
            shares += self.rehearsal * old.shares(n_classes)
        # A class that is never shown gets no say in the softmax, and so is not pushed down.
        prior = np.log(np.where(shares > 0, shares, 1e-30))
        self.log_prior = torch.from_numpy(prior).float()
        self.smoothing = options.label_smoothing if (shares > 0).all() else 0.0
        self.new_weights = new.weights() if options.balanced else None
        self.old_weights = old.weights() if self.rehearsal else None
        labels = torch.from_numpy(old.labels)
        self.old_plain = torch.from_numpy(old.features[0]).float()
        self.old_order = torch.argsort(labels, stable=True)
        self.old_counts = torch.bincount(labels, minlength=n_classes)
        self.old_starts = torch.cumsum(self.old_counts, 0) - self.old_counts
        self.optimizer = build_optimizer(head, options)
        self.n_old = round(options.batch_size * self.rehearsal)
        self.n_new = max(1, options.batch_size - self.n_old)
        self.steps_per_epoch = math.ceil(len(new) / self.n_new)
        self.learning_rate = 0.0
        self.train_loss = math.nan
        self.train_accuracy = math.nan

    def epoch(self, number: int) -> None:
        """Train one epoch, counted from 0: as many new tiles as there are, each in one view.

        Raises
        ------
        TrainingError
            If the loss is no longer a number.
        """
        generator = seed_epoch(self.options.seed, number)
        self.head.train()
        order = draw_epoch(self.new_weights, len(self.new), generator)
        loss_sum, right = 0.0, 0
        for step, at in enumerate(torch.split(order, self.n_new), number * self.steps_per_epoch):
            loss, hits = self._step(at, generator, step)
            loss_sum, right = loss_sum + loss * len(at), right + hits
        self.train_loss, self.train_accuracy = loss_sum / len(order), right / len(order)
        self.head.eval()

    def _step(self, at: Tensor, generator: torch.Generator, step: int) -> tuple[float, int]:
        self.learning_rate = learning_rate_at(self.options, step, self.steps_per_epoch)
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate
        features, labels = _draw(self.new, at, generator)
        logits = self.head(features)
        loss = (1.0 - self.rehearsal) * self._loss(logits, labels)
        if self.rehearsal and self.n_old:
            chosen = draw_epoch(self.old_weights, self.n_old, generator)
            old_features, old_labels = _draw(self.old, chosen, generator)
            old_features = self._spread(old_features, old_labels, generator)
            loss = loss + self.rehearsal * self._loss(self.head(old_features), old_labels)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise TrainingError(
                f"The loss became {value} in step {step + 1}: the training diverged. Lower the "
                "learning rate (--learning-rate)."
            )
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.head.parameters(), _CLIP_NORM)
        self.optimizer.step()
        return value, int((logits.detach().argmax(1) == labels).sum())

    def _spread(self, features: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
        """Move features as two others of their class differ; the trunk's are never negative."""
        reach = torch.rand((len(labels), 1), generator=generator) * self.options.spread
        one, other = (self.old_plain[self._of_same_class(labels, generator)] for _ in range(2))
        return (features + reach * (one - other)).clamp_(min=0.0)

    def _of_same_class(self, labels: Tensor, generator: torch.Generator) -> Tensor:
        draws = torch.rand(len(labels), generator=generator)
        counts, starts = self.old_counts[labels], self.old_starts[labels]
        return self.old_order[starts + (draws * counts).long().clamp_(max=counts - 1)]

    def _loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        return functional.cross_entropy(
            logits + self.log_prior, labels, label_smoothing=self.smoothing
        )


def head_logits(head: nn.Module, features: NDArray[np.float16]) -> NDArray[np.float32]:
    """Return logits, shape (n, classes), of features (n, f)."""
    head.eval()
    with torch.inference_mode():
        logits: NDArray[np.float32] = head(torch.from_numpy(features).float()).numpy()
    return logits


def _draw(samples: Samples, at: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Take tiles by index, each in a random view."""
    views = torch.randint(len(samples.features), (len(at),), generator=generator)
    features = samples.features[views.numpy(), at.numpy()]
    return torch.from_numpy(features).float(), torch.from_numpy(samples.labels[at.numpy()])
