"""COSTA's sketch preserves the covariance; its loss."""

import pytest
import torch

from augmentors import Identity
from gcl.methods import COSTA
from gcl.nn import gcn
from tests import reference
from tests.inputs import ring, seeded


def build(**options):
    torch.manual_seed(0)
    return COSTA(gcn(4, 8, 2, 6), 6, **options).double()


@pytest.mark.parametrize("ratio", [0.1, 0.5, 0.7, 1.0])
def test_the_sketch_has_the_covariance_of_the_embeddings(ratio):
    """The mean of H'^T H' over 4000 draws is H^T H within five standard errors, for both views and across them."""
    method = build(ratio=ratio)
    method.projector = torch.nn.Identity()
    h1, h2 = torch.randn(2, 20, 3, dtype=torch.double)
    generator, products = seeded(), []
    for _ in range(4000):
        z1, z2 = method.project(h1, h2, generator=generator)
        assert z1.shape == (int(20 * ratio), 3)
        products.append(torch.stack([z1.T @ z1, z2.T @ z2, z1.T @ z2]))
    products = torch.stack(products)
    expected = torch.stack([h1.T @ h1, h2.T @ h2, h1.T @ h2])
    error = products.std(0) / len(products) ** 0.5
    assert ((products.mean(0) - expected).abs() <= 5 * error + 1e-12).all()


def test_each_node_goes_into_one_of_the_equal_sketches_with_a_sign():
    method = build(ratio=0.5)
    method.projector = torch.nn.Identity()
    eye = torch.eye(11, dtype=torch.double)
    p, again = method.project(eye, eye, generator=seeded())
    assert torch.equal(p, again)  # both views have the same sketch
    assert torch.equal(p.abs().sum(0), torch.ones(11, dtype=torch.double))
    assert sorted(p.abs().sum(1).tolist()) == [2, 2, 2, 2, 3]
    assert {-1.0, 1.0} < set(p.flatten().tolist())


def test_the_loss_is_on_the_sketches_with_negatives_of_the_other_view():
    data, method = ring(), build(temperature=0.3)
    data.x = data.x.double()
    pair = method.pair(data, generator=seeded(3))
    assert pair.h1.shape == (12, 6)
    assert pair.z1.shape == (6, 6)
    expected = reference.info_nce(pair.z1, pair.z2, 0.3, intraview=False)
    assert abs(method(data, generator=seeded(3)) - expected) < 1e-12


def test_a_whole_sketch_is_the_nodes_up_to_order_and_sign():
    data, method = ring(), build(ratio=1.0)
    data.x = data.x.double()
    method.augmentor1 = method.augmentor2 = Identity()
    method.projector = torch.nn.Identity()
    pair = method.pair(data, generator=seeded())
    torch.testing.assert_close(pair.z1.abs().sum(1).sort()[0], pair.h1.abs().sum(1).sort()[0])


def test_arguments_are_checked():
    for ratio in (0, 1.5, -1):
        with pytest.raises(ValueError, match=rf"ratio must be in \(0, 1\], got {ratio}"):
            build(ratio=ratio)
    with pytest.raises(ValueError, match="temperature must be finite and above 0, got 0"):
        build(temperature=0)
