"""Kinds of views that a loss may meet, and the comparison of values and gradients."""

import torch

KINDS = ("random", "clustered", "identical", "orthogonal", "zero")


def views(kind, n, d=7):
    """Two views [N, D] in float64."""
    z1, z2 = torch.randn(2, n, d, dtype=torch.double)
    if kind == "clustered":
        center = torch.randn(3, d, dtype=torch.double)[torch.arange(n) % 3]
        return center + 1e-3 * z1, center + 1e-3 * z2
    if kind == "identical":
        return z1, z1.clone()
    if kind == "orthogonal":
        eye = torch.eye(n, max(n, d), dtype=torch.double)
        return eye, eye.roll(1, 0)
    if kind == "zero":
        z1[0], z2[n // 2] = 0, 0
    return z1, z2


def close(got, expected, tolerance=1e-10):
    """Values and gradients agree, the gradients relative to the largest entry if that exceeds 1."""
    assert abs(got[0] - expected[0]) < tolerance
    for one, other in zip(got[1], expected[1], strict=True):
        assert (one - other).abs().max() < tolerance * max(1.0, float(other.abs().max()))
