"""The one training loop."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import torch
from torch import Generator, Tensor
from torch.nn.parallel import DistributedDataParallel
from torch.optim import Optimizer
from torch_geometric.data.data import BaseData
from tqdm import tqdm

from augmentors._checks import check_at_least
from augmentors._graphs import Graph
from gcl._checks import warn_one_directional
from gcl.methods import Method
from gcl.methods._base import check_data, moved
from gcl.nn._encode import num_graphs


def fit(
    method: Method | DistributedDataParallel,
    data: Graph | Iterable[Graph],
    optimizer: Optimizer,
    epochs: int,
    *,
    progress: bool = True,
    generator: Generator | None = None,
) -> list[float]:
    """Train a method, and show a progress bar.

    For logging, evaluation, early stopping or checkpoints between the epochs, write the loop over
    :func:`gcl.train.epochs` yourself: the arguments are the same.

    Args:
        method, data, optimizer, epochs, generator: as for :func:`gcl.train.epochs`.
        progress: show a bar with the loss of each epoch.

    Returns:
        The mean loss of each epoch.

    Raises:
        TypeError, ValueError, FloatingPointError: as :func:`gcl.train.epochs`.

    Example:
        >>> from gcl.methods import GRACE
        >>> from gcl.nn import gcn
        >>> from torch_geometric.data import Data
        >>> data = Data(x=torch.eye(4), edge_index=torch.tensor([[0, 1, 2, 3], [1, 0, 3, 2]]))
        >>> method = GRACE(gcn(4, 8))
        >>> optimizer = torch.optim.Adam(method.parameters(), lr=1e-3)
        >>> losses = fit(method, data, optimizer, epochs=3, progress=False)
        >>> len(losses)
        3
    """
    losses = []
    run = _epochs(method, data, optimizer, epochs, generator=generator)
    with tqdm(run, total=epochs, unit="epoch", disable=not progress) as bar:
        for _, loss in bar:
            losses.append(loss)
            if progress:
                bar.set_postfix(loss=f"{loss:.4g}")
    return torch.stack(losses).tolist() if losses else []


def epochs(
    method: Method | DistributedDataParallel,
    data: Graph | Iterable[Graph],
    optimizer: Optimizer,
    epochs: int,
    *,
    start: int = 0,
    accumulate: int = 1,
    generator: Generator | None = None,
) -> Iterator[tuple[int, Tensor]]:
    """Train, and yield after each epoch: logging, evaluation, early stopping and checkpoints are the caller's lines.

    Args:
        method: what to train, alone or in ``DistributedDataParallel``; put in training mode at each epoch.
        data: a graph, or what is gone through once an epoch: a list of graphs, each of which is a batch, or a loader.
            The graphs of a list go through ``method.prepare`` once; a batch elsewhere than the method, or of
            another dtype, is copied.
        optimizer: over the method's parameters.
        epochs: number of the last epoch.
        start: epochs already done, as :func:`gcl.train.load_checkpoint` returns.
        accumulate: batches to a step, which takes their mean gradient; an epoch's last step takes those that are left.
        generator: randomness of the views; ``None`` draws from torch's global seed.

    Yields:
        The epoch's number, from ``start + 1`` to ``epochs``, and its mean loss, a scalar on the device.

    Raises:
        TypeError: ``method`` is no method, or ``data`` holds something else than graphs.
        ValueError: a batch is no valid graph (checked in the first epoch), there are none, a method that compares
            graphs gets a batch of one, or ``accumulate`` is not above 0.
        FloatingPointError: the mean loss of an epoch or a parameter after it is not finite; raised in place of the
            epoch, so that the last checkpoint is one from before it.

    Example:
        >>> from gcl.methods import GRACE
        >>> from gcl.nn import gcn
        >>> from torch_geometric.data import Data
        >>> data = Data(x=torch.eye(4), edge_index=torch.tensor([[0, 1, 2, 3], [1, 0, 3, 2]]))
        >>> method = GRACE(gcn(4, 8))
        >>> optimizer = torch.optim.Adam(method.parameters(), lr=1e-3)
        >>> for epoch, loss in epochs(method, data, optimizer, 20):
        ...     if epoch % 10 == 0:
        ...         print(f"{epoch}: {method.embed(data).shape}")
        10: torch.Size([4, 8])
        20: torch.Size([4, 8])
    """
    check_at_least("accumulate", accumulate, 1)
    check_at_least("epochs", epochs, 0)
    own = method.module if isinstance(method, DistributedDataParallel) else method
    if not isinstance(own, Method):
        raise TypeError(f"method must be a gcl.methods.Method, got {type(own).__name__}")
    batches = _batches(own, data)
    for epoch in range(start + 1, epochs + 1):
        method.train()
        losses = []
        remaining = iter(batches)
        while group := list(islice(remaining, accumulate)):
            optimizer.zero_grad(set_to_none=True)
            for batch in group:
                if epoch == start + 1:
                    _check_batch(own, batch)
                loss = method(moved(batch, own), generator=generator)
                (loss / len(group)).backward()
                losses.append(loss.detach())
            optimizer.step()
            own.after_step()
        if not losses:
            raise ValueError("data must hold at least one graph, got none")
        yield epoch, _finite_mean(losses, own, epoch, untrained=epoch == start + 1)


_epochs = epochs  # where an argument has its name


def _batches(method: Method, data: Any) -> Iterable[Graph]:
    if isinstance(data, BaseData):
        check_data(method, data)
        warn_one_directional(data)
        return [moved(method.prepare(data), method)]
    if isinstance(data, (list, tuple)):
        return [method.prepare(_checked(method, graph)) for graph in data]
    if isinstance(data, (str, Tensor)) or not isinstance(data, Iterable):
        raise TypeError(f"data must be a graph (torch_geometric Data), a list of graphs or a loader, got {data!r:.80}")
    if isinstance(data, Iterator):
        raise TypeError("data must be gone through once an epoch: give a list or a loader, not an iterator")
    return data


def _checked(method: Method, data: Any) -> Graph:
    check_data(method, data)
    return data


def _check_batch(method: Method, batch: Graph) -> None:
    """``batch`` can be trained on; reads values back to the host."""
    check_data(method, batch)
    if method.readout is not None and (count := num_graphs(method.nodes(batch))) < 2:
        raise ValueError(
            f"data must hold batches of at least two graphs for {type(method).__name__}, which compares graphs, "
            f"got a batch of {count}: DataLoader(graphs, batch_size=128, shuffle=True, drop_last=True)"
        )


def _finite_mean(losses: list[Tensor], method: Method, epoch: int, untrained: bool) -> Tensor:
    """The mean loss of an epoch, after which the parameters are finite too."""
    mean = torch.stack(losses).mean()
    if not torch.isfinite(mean):
        at_once = untrained and not torch.isfinite(losses[0])
        advice = "look at the data and the encoder, no step was made yet" if at_once else "try a lower learning rate"
        raise FloatingPointError(f"the mean loss of epoch {epoch} is {mean.item()}: {advice}")
    parameters = dict(method.named_parameters())
    finite = torch.stack([parameter.detach().isfinite().all() for parameter in parameters.values()])
    if not finite.all():
        name = next(name for name, good in zip(parameters, finite.tolist(), strict=True) if not good)
        half = ", or train in float32, Adam's epsilon is 0 in float16" * (parameters[name].dtype == torch.float16)
        raise FloatingPointError(f"parameter {name} is not finite after epoch {epoch}: try a lower learning rate{half}")
    return mean
