"""What the feature augmentors draw."""

import pytest
import torch
from torch_geometric.data import Data

from augmentors import FeatureDropout, FeatureMask, FeatureNoise
from tests.inputs import seeded


def test_masked_columns_are_zero_for_all_nodes(generator):
    x = torch.rand(50, 400) + 1
    view = FeatureMask(0.3)(Data(x=x), generator=generator).x
    masked = (view == 0).all(dim=0)
    assert torch.equal(view, torch.where(masked, torch.zeros_like(x), x))
    assert abs(masked.float().mean() - 0.3) < 4 * (0.21 / 400) ** 0.5


def test_dropped_entries_are_independent_and_the_rest_keeps_its_scale(generator):
    x = torch.rand(200, 300) + 1
    view = FeatureDropout(0.3)(Data(x=x), generator=generator).x
    dropped = view == 0
    assert torch.equal(view[~dropped], x[~dropped])
    assert abs(dropped.float().mean() - 0.3) < 4 * (0.21 / x.numel()) ** 0.5
    assert dropped.float().mean(dim=0).std() < 2 * (0.21 / 200) ** 0.5


@pytest.mark.parametrize("kind", [FeatureMask, FeatureDropout])
def test_none_and_all(kind):
    x = torch.rand(3, 4) + 1
    assert torch.equal(kind(0.0)(Data(x=x)).x, x)
    assert torch.equal(kind(1.0)(Data(x=x)).x, torch.zeros(3, 4))


@pytest.mark.parametrize("kind", [FeatureMask, FeatureDropout])
def test_integers_are_categories_and_become_minus_one_where_numbers_become_zero(kind):
    x = torch.arange(12).reshape(3, 4)
    for dtype in (torch.long, torch.int, torch.int8):
        view = kind(0.5)(Data(x=x.to(dtype)), generator=seeded()).x
        masked = kind(0.5)(Data(x=x + 1.0), generator=seeded()).x == 0
        assert 0 < masked.sum() < 12
        assert view.dtype == dtype
        assert torch.equal(view, x.masked_fill(masked, -1).to(dtype))
    words = x % 2 == 1
    assert torch.equal(kind(1.0)(Data(x=words)).x, torch.zeros_like(words))  # bool and unsigned cannot be -1


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_noise_is_normal_and_keeps_the_dtype(dtype, generator):
    view = FeatureNoise(0.5)(Data(x=torch.ones(400, 300, dtype=dtype)), generator=generator).x
    assert view.dtype == dtype
    noise = (view.double() - 1) / 0.5
    n = noise.numel()
    assert abs(noise.mean()) < 4 / n**0.5
    assert abs(noise.std() - 1) < 4 / (2 * n) ** 0.5 + (0.01 if dtype == torch.bfloat16 else 0)
    assert abs((noise.abs() < 1).double().mean() - 0.6827) < 0.01
    assert torch.equal(FeatureNoise(0.0)(Data(x=view)).x, view)


def test_noise_on_integers_is_refused():
    with pytest.raises(ValueError, match=r"x must be floating-point to get noise, got torch.int64"):
        FeatureNoise(0.1)(Data(x=torch.ones(2, 2).long()))
