"""The reductions of :mod:`gcl.pairwise` as textbook formulas on the whole similarity matrix, for autograd."""

import math

import torch

FUNCTIONS = {"exp": torch.exp, "relu": torch.relu, "softplus": lambda s: torch.logaddexp(s, torch.zeros_like(s))}


def sym_lse(x, num_items=0, *, log_weight=None):
    scores, item = x @ x.T, torch.arange(len(x), device=x.device)
    if num_items:
        item = item % num_items
    if log_weight is not None:
        scores = scores + log_weight(scores.detach())
    return lse(scores, item[:, None] == item, 1)


def cross_lse(q, k, *, log_weight=None, exclude=None, both=False):
    scores = q @ k.T if log_weight is None else q @ k.T + log_weight
    excluded = excluded_pairs(scores, exclude)
    rows = lse(scores, excluded, 1)
    return (rows, lse(scores, excluded, 0)) if both else rows


def row_sum(q, k, f, *, exclude=None):
    scores = q @ k.T
    return FUNCTIONS[f](scores).masked_fill(excluded_pairs(scores, exclude), 0.0).sum(1)


def excluded_pairs(scores, exclude):
    if exclude is None:
        return torch.zeros_like(scores, dtype=torch.bool)
    exclude = exclude[:, None] if exclude.dim() == 1 else exclude
    return (exclude[:, :, None] == torch.arange(scores.size(1), device=scores.device)).any(1)


def lse(scores, excluded, dim):
    """Log-sum-exp; ``-inf``, with a gradient of 0, where everything is excluded."""
    empty = excluded.all(dim)
    if scores.size(dim) == 0:
        return scores.sum(dim) - math.inf
    scores = scores.masked_fill(excluded & ~empty.unsqueeze(dim), -math.inf)
    return scores.logsumexp(dim).masked_fill(empty, -math.inf)
