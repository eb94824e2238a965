"""The losses that take more than two views of the same rows."""

import math

import pytest
import torch

from gcl.losses import (
    NegativeQueue,
    info_nce,
    neighbor_nce,
    node_graph_bce,
    node_graph_jsd,
    poly_view,
    queue_nce,
    sup_con,
)
from tests import reference
from tests.losses.inputs import KINDS, close, views
from tests.reference import softplus, unit, value_and_gradients


@pytest.mark.parametrize("arithmetic", [False, True])
@pytest.mark.parametrize("n", [1, 2, 40])
@pytest.mark.parametrize("kind", KINDS)
def test_poly_view_equals_loops_over_the_views(kind, n, arithmetic):
    z1, z2 = views(kind, n)
    z3 = z2 + 0.1 * torch.randn_like(z2)
    got = value_and_gradients(lambda *z: poly_view(z, 0.3, arithmetic=arithmetic), z1, z2, z3)
    close(got, value_and_gradients(lambda *z: reference.poly_view(*z, 0.3, arithmetic), z1, z2, z3), 1e-9)


def test_two_views_are_info_nce_and_the_geometric_form_lies_above():
    z1, z2, z3 = torch.randn(3, 30, 5, dtype=torch.double)
    for arithmetic in (False, True):
        assert abs(poly_view([z1, z2], 0.2, arithmetic=arithmetic) - info_nce(z1, z2, 0.2)) < 1e-12
    assert poly_view([z1, z2, z3]) > poly_view([z1, z2, z3], arithmetic=True)  # Jensen
    with pytest.raises(ValueError, match="at least two views, got 1"):
        poly_view([z1])


@pytest.mark.parametrize("kind", KINDS)
def test_sup_con_equals_a_loop_over_the_anchors(kind):
    z, _ = views(kind, 30)
    y = torch.randint(0, 6, (30,))
    y[0] = 9  # alone in its class
    expected = value_and_gradients(lambda z: reference.sup_con(z, y, 0.2), z)
    close(value_and_gradients(lambda z: sup_con(z, y, 0.2), z), expected)
    close(value_and_gradients(lambda z: sup_con(z, y, 0.2, num_classes=12), z), expected)
    pairs = (y[:, None] == y).nonzero().T  # the same positives as a list; self-loops do not count
    close(value_and_gradients(lambda z: neighbor_nce(z, pairs, 0.2), z), expected)


def test_without_positives_the_loss_is_zero():
    z = torch.randn(4, 3, requires_grad=True)
    for loss in (sup_con(z, torch.arange(4)), neighbor_nce(z, torch.empty(2, 0).long())):
        assert loss == 0
        assert torch.autograd.grad(loss, z)[0].abs().sum() == 0


def test_neighbors_by_hand():
    """Row 0 has positives 1 (twice) and 2; row 3 has none."""
    z = unit(torch.randn(4, 3, dtype=torch.double))
    s = z @ z.T / 0.5
    edge_index = torch.tensor([[0, 0, 0, 1], [1, 1, 2, 0]])
    first = torch.cat([s[0, 1:]]).logsumexp(0) - (2 * s[0, 1] + s[0, 2]) / 3
    second = s[1, [0, 2, 3]].logsumexp(0) - s[1, 0]
    assert abs(neighbor_nce(z, edge_index, 0.5) - (first + second) / 2) < 1e-12


def test_the_queue_forgets_the_oldest_and_is_saved():
    queue = NegativeQueue(5, 2)
    rows = unit(torch.randn(12, 2))
    for start in range(0, 12, 3):
        queue.push(rows[start : start + 3] * 7)
    remembered = {tuple(row) for row in queue.rows.tolist()}
    torch.testing.assert_close(torch.tensor(sorted(remembered)), torch.tensor(sorted(rows[-5:].tolist())))
    twin = NegativeQueue(5, 2)
    twin.load_state_dict(queue.state_dict())
    twin.push(rows[:1])
    queue.push(rows[:1])
    assert torch.equal(twin.rows, queue.rows)
    assert not list(queue.parameters())
    with pytest.raises(ValueError, match=r"z must have shape \[K <= 5, 2\], got \(6, 2\)"):
        queue.push(rows[:6])
    with pytest.raises(ValueError, match="size must be at least 1, got 0"):
        NegativeQueue(0, 2)


def test_queue_nce_equals_the_dense_formula():
    queue = NegativeQueue(50, 6).double()
    q, k = torch.randn(2, 20, 6, dtype=torch.double)
    assert queue_nce(q, k, queue) == 0
    pushed = torch.randn(30, 6, dtype=torch.double)
    queue.push(pushed)

    def dense(q, k):
        scores = torch.cat([(unit(q) * unit(k.detach())).sum(1, keepdim=True), unit(q) @ unit(pushed).T], 1) / 0.1
        return (scores.logsumexp(1) - scores[:, 0]).mean()

    close(value_and_gradients(lambda q, k: queue_nce(q, k, queue, 0.1), q, k), value_and_gradients(dense, q, k))


def test_node_graph_bce_is_torchs():
    h, h_negative = torch.randn(2, 9, 4, dtype=torch.double)
    g, batch = torch.randn(3, 4, dtype=torch.double), torch.tensor([0, 0, 0, 0, 1, 1, 2, 2, 2])

    def dense(h, h_negative, g):
        scores = torch.cat([(h * g[batch]).sum(1), (h_negative * g[batch]).sum(1)])
        return torch.nn.functional.binary_cross_entropy_with_logits(scores, (torch.arange(18) < 9).double())

    inputs = (h, h_negative, g)
    close(value_and_gradients(lambda *x: node_graph_bce(*x, batch), *inputs), value_and_gradients(dense, *inputs))


def test_node_graph_jsd_equals_the_mask_over_all_pairs():
    h, g = torch.randn(9, 4, dtype=torch.double), torch.randn(3, 4, dtype=torch.double)
    batch = torch.tensor([0, 0, 0, 0, 1, 1, 2, 2, 2])

    def dense(h, g):
        scores, own = h @ g.T, batch[:, None] == torch.arange(3)
        return softplus(-scores[own]).mean() + softplus(scores[~own]).mean() - 2 * math.log(2)

    close(value_and_gradients(lambda *x: node_graph_jsd(*x, batch), h, g), value_and_gradients(dense, h, g))


def test_bad_groups_are_named():
    h, g, batch = torch.randn(4, 3), torch.randn(2, 3), torch.tensor([0, 0, 1, 1])
    with pytest.raises(ValueError, match="g must have at least two rows, got 1"):
        node_graph_jsd(h, g[:1], batch)
    with pytest.raises(ValueError, match=r"batch must have shape \[4\], got \(3,\)"):
        node_graph_jsd(h, g, batch[:3])
    with pytest.raises(ValueError, match="h and g must have the same width, got 3 and 2"):
        node_graph_jsd(h, g[:, :2], batch)
    with pytest.raises(ValueError, match=r"h_negative must have the shape of h \(4, 3\), got \(3, 3\)"):
        node_graph_bce(h, h[:3], g, batch)
    with pytest.raises(TypeError, match="y must be a long tensor, got torch.float32"):
        sup_con(h, torch.zeros(4))
