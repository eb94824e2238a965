"""Arguments of the wrong type, dtype, layout or range are named; huge rows and autocast change no value."""

from functools import partial

import pytest
import torch

from gcl import losses
from gcl.losses import (
    NegativeQueue,
    barlow_twins,
    byol,
    cca_ssg,
    info_nce,
    information_regularizer,
    neighbor_nce,
    node_graph_bce,
    node_graph_jsd,
    poly_view,
    queue_nce,
    scaled_cosine_error,
    siglip,
    ssge,
    sup_con,
    vicreg,
)
from tests.losses.test_all import OPTIONS
from tests.reference import value_and_gradients

Z = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
QUEUE = NegativeQueue(5, 3)

REFUSED = [
    (lambda: info_nce(Z, Z.to_sparse()), TypeError, "z2 must be dense, got torch.sparse_coo"),
    (lambda: info_nce(Z.tolist(), Z), TypeError, r"z1 must be a floating-point tensor \[N, D\], got list"),
    (lambda: info_nce(Z, None), TypeError, "z2 must be .*, got NoneType"),
    (lambda: info_nce(Z, Z.double()), ValueError, "z1 and z2 must have the same dtype, got torch.float32 and torch.fl"),
    (lambda: info_nce(Z[:, :0], Z[:, :0]), ValueError, "z1 must have at least one column"),
    (lambda: info_nce(Z, Z, row_weight=3), TypeError, r"row_weight must be a tensor of numbers \[N\], got int"),
    (lambda: byol(Z, Z[:2]), ValueError, "p and z must have the same shape"),
    (lambda: information_regularizer(Z, Z, Z.double()), ValueError, "z1 and z must have the same dtype"),
    (lambda: information_regularizer(Z, Z, Z, 1e-30), ValueError, "temperature must be at least 0.0114 .*, got 1e-30"),
    (lambda: vicreg(Z, Z, invariance=None), TypeError, "invariance must be a number of at least 0, got None"),
    (lambda: barlow_twins(Z, Z, "half"), TypeError, "off_diagonal_weight must be a number of at least 0, got 'half'"),
    (lambda: cca_ssg(Z, Z, -1.0), ValueError, "decorrelation_weight must be finite and at least 0, got -1"),
    (lambda: ssge(Z, Z, None), TypeError, "uniformity_weight must be a number of at least 0, got None"),
    (lambda: scaled_cosine_error(Z, Z[:2]), ValueError, "prediction and target must have the same shape"),
    (lambda: siglip(Z, Z, bias=None), TypeError, "bias must be a number or a scalar tensor, got None"),
    (lambda: siglip(Z, Z, scale=torch.ones(2)), ValueError, r"scale must be one number, got shape \(2,\)"),
    (lambda: poly_view(None), TypeError, r"views must be a list of tensors \[N, D\], got NoneType"),
    (lambda: poly_view([Z, Z, Z[:2]]), ValueError, r"views\[0\] and views\[2\] must have the same shape"),
    (lambda: queue_nce(Z, Z.long(), QUEUE), TypeError, "k must be a floating-point tensor"),
    (lambda: queue_nce(Z, Z, Z), TypeError, "queue must be a NegativeQueue, got Tensor"),
    (lambda: queue_nce(Z[:, :2], Z[:, :2], QUEUE), ValueError, "queue must have rows of width 2 as q has, got 3"),
    (lambda: sup_con(Z, [0, 1, 0, 1]), TypeError, "y must be a long tensor, got list"),
    (lambda: sup_con(Z, torch.tensor([0, 1, 0, -1])), ValueError, r"y must hold class numbers in \[0, 2\), got -1"),
    (lambda: sup_con(Z, torch.arange(4), num_classes=3), ValueError, r"class numbers in \[0, 3\), got 3"),
    (lambda: sup_con(Z, torch.arange(4), num_classes=0), ValueError, "num_classes must be at least 1, got 0"),
    (lambda: neighbor_nce(Z, None), TypeError, "edge_index must be a long tensor, got NoneType"),
    (lambda: neighbor_nce(Z, torch.tensor([[0], [4]])), ValueError, r"edge_index must hold row .* \[0, 4\), got 4"),
    (lambda: node_graph_jsd(Z, Z[:2], torch.full((4,), 9)), ValueError, r"batch .* graph numbers in \[0, 2\), got 9"),
    (lambda: node_graph_jsd(Z, Z[:2].double(), torch.zeros(4).long()), ValueError, "h and g must have the same dtype"),
    (lambda: node_graph_bce(Z, Z, Z, torch.zeros(4)), TypeError, "batch must be a long tensor, got torch.float32"),
]


@pytest.mark.parametrize(("call", "error", "message"), REFUSED)
def test_wrong_arguments_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("loss", [cca_ssg, barlow_twins, ssge, info_nce])
def test_row_weights_are_finite_and_above_0(loss):
    for wrong in (0.0, -1.0, float("nan"), float("inf")):
        for weight in (torch.full((4,), wrong), torch.tensor([1.0, 2.0, wrong, 1.0])):
            with pytest.raises(ValueError, match=f"row_weight must be finite and above 0, got {wrong}"):
                loss(Z, Z, row_weight=weight)


OF_UNIT_ROWS = [(name, options) for name, options in OPTIONS if name not in ("jsd", "vicreg")]


@pytest.mark.parametrize(("name", "options"), OF_UNIT_ROWS, ids=str)
@pytest.mark.parametrize("scale", [2.0**60, 2.0**100])
def test_huge_rows_count_like_others(name, options, scale):
    """Squares overflow from 1.8e19 on in float32; the gradient at scaled rows is that at the rows over the scale."""
    loss, z = partial(getattr(losses, name), **options), torch.randn(2, 20, 6)
    value, gradients = value_and_gradients(loss, *z)
    huge, huge_gradients = value_and_gradients(loss, *(z * scale))
    torch.testing.assert_close(huge, value, rtol=1e-5, atol=1e-6)
    for got, expected in zip(huge_gradients, gradients, strict=True):
        torch.testing.assert_close(got * scale, expected, rtol=1e-4, atol=1e-6)


def test_a_huge_row_keeps_its_direction():
    z = torch.tensor([[3e25, 4e25], [3.0, 4.0], [-1e38, 0.0]])
    assert float(losses.alignment(z[:1], z[1:2])) < 1e-12
    assert float(losses.alignment(z[2:], torch.tensor([[1.0, 0.0]]))) == 4


def grouped(h, g):
    return node_graph_jsd(h, g[:5], torch.arange(40) % 5)


OTHERS = [lambda *z: poly_view([*z, z[0] + z[1]]), lambda *z: sup_con(torch.cat(z), torch.arange(80) % 3), grouped]
OTHERS += [
    lambda *z: neighbor_nce(z[0] * z[1], torch.arange(40).view(2, 20)),
    lambda *z: losses.uniformity(z[0] + z[1]),
]


@pytest.mark.parametrize("loss", [partial(getattr(losses, n), **options) for n, options in OPTIONS] + OTHERS)
def test_autocast_changes_nothing(loss):
    z = torch.randn(2, 40, 16)
    value, gradients = value_and_gradients(loss, *z)
    with torch.autocast("cpu", torch.bfloat16):
        low, low_gradients = value_and_gradients(loss, *z)
    torch.testing.assert_close(low, value, rtol=1e-6, atol=1e-6)
    for got, expected in zip(low_gradients, gradients, strict=True):
        torch.testing.assert_close(got, expected, rtol=0, atol=1e-6 * max(1.0, float(expected.abs().max())))


@pytest.mark.parametrize("loss", [cca_ssg, barlow_twins, ssge, info_nce])
def test_float16_is_computed_in_single(loss):
    z = torch.randn(2, 40, 8).half()
    z[..., 0] = 1.0  # a constant column
    value, gradients = value_and_gradients(loss, *z)
    single, single_gradients = value_and_gradients(loss, *z.float())
    assert abs(value - single) <= 1e-5 * max(1, abs(single))
    for got, expected in zip(gradients, single_gradients, strict=True):
        assert (got.float() - expected).norm() <= 1e-3 * expected.norm() + 1e-6
