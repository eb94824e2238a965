"""The information regularizer."""

import math

import pytest
import torch

from gcl.losses import information_regularizer
from gcl.methods import GRACE
from gcl.nn import gcn
from gcl.regularizers import Information


def test_two_nodes_by_hand():
    z1 = torch.tensor([[1.0, 0.0], [0.0, 2.0]], dtype=torch.double)
    z2 = torch.tensor([[3.0, 0.0], [1.0, 0.0]], dtype=torch.double)
    z = torch.tensor([[0.0, 1.0], [0.0, 1.0]], dtype=torch.double)
    first = 2 * math.exp(2) - 2  # both views alike, orthogonal to the graph
    second = 2 - math.exp(2) - 1  # below 0: the first view is the graph
    assert second < 0
    assert information_regularizer(z1, z2, z, temperature=0.5) == pytest.approx(first / 2, abs=1e-12)


def test_it_is_zero_when_all_agree():
    z = torch.randn(5, 3, dtype=torch.double)
    assert information_regularizer(z, 2 * z, 3 * z) < 1e-12


def test_the_gradient_flows_through_the_likeness_of_the_views_only():
    z1, z2, z = torch.randn(3, 50, 4, dtype=torch.double).requires_grad_().unbind()
    z1, z2, z = (part.detach().requires_grad_() for part in (z1, z2, z))
    cos = torch.nn.functional.cosine_similarity
    between, one, other = ((cos(a, b) / 0.5).exp() for a, b in ((z1, z2), (z1, z), (z2, z)))
    active = (2 * between > one + other).double()
    assert 0 < active.mean() < 1
    expected = torch.autograd.grad((active * 2 * between).mean(), [z1, z2])
    found = torch.autograd.grad(information_regularizer(z1, z2, z), [z1, z2, z], allow_unused=True)
    assert found[2] is None
    for a, b in zip(found[:2], expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)


def test_the_object_compares_a_pair_with_its_graph(square, generator):
    method = GRACE(gcn(4, 8, 2, 6), 6, edge_drop=(0.5, 0.5), feature_mask=(0.5, 0.5))
    for weight in (None, torch.rand(8)):
        square.edge_weight = weight
        if weight is None:
            del square.edge_weight
        pair = method.pair(square, generator=generator)
        z = method.projector(method.encoder(square.x, square.edge_index, weight))
        found = Information(method.projector, 0.4)(method.encoder, pair)
        torch.testing.assert_close(found, information_regularizer(pair.z1, pair.z2, z, 0.4))


def test_bad_input_is_refused():
    z = torch.randn(4, 3)
    with pytest.raises(ValueError, match="same shape"):
        information_regularizer(z, z, z[:3])
    with pytest.raises(ValueError, match="temperature must be finite and above 0, got 0"):
        information_regularizer(z, z, z, temperature=0)
    with pytest.raises(ValueError, match="temperature must be finite and above 0, got -1"):
        Information(torch.nn.Identity(), -1)
