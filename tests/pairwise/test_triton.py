"""The Triton kernel against the whole similarity matrix in float64: on a GPU, or in Triton's interpreter."""

import math
import os
import subprocess
import sys

import pytest
import torch
import torch.nn.functional as F

from gcl.pairwise import cross_lse, sym_lse
from tests.pairwise import dense
from tests.pairwise.inputs import weighted
from tests.reference import value_and_gradients

INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
DEVICE = "cpu" if INTERPRETED else "cuda"
# The interpreter's bfloat16 products are wrong.
DTYPES = [torch.float32, torch.float16] + ([] if INTERPRETED else [torch.bfloat16])

pytestmark = [  # numpy's, in the interpreter
    pytest.mark.filterwarnings("ignore:(divide by zero|overflow):RuntimeWarning"),
    pytest.mark.filterwarnings("ignore:Conversion of an array:DeprecationWarning"),
]
runs_kernels = pytest.mark.skipif(
    not (INTERPRETED or torch.cuda.is_available()), reason="needs a GPU, or TRITON_INTERPRET=1 as in make test-triton"
)
dtypes = pytest.mark.parametrize("dtype", DTYPES, ids=str)
bounds = pytest.mark.parametrize("bound", [60.0, math.inf], ids=["bounded", "unbounded"])


def rows(n, d, dtype, scale=1.0):
    """Rows of about length ``scale``: float64 holding numbers of ``dtype``."""
    return (torch.randn(n, d) * scale / d**0.5).to(DEVICE, dtype).double()


def agree(kernels, reference, inputs, dtype, single=1e-5):
    """Outputs to 1e-5; gradients, as a whole, to ``single`` or 2 eps of a half type; two runs bit for bit."""
    low = [value.to(dtype) for value in inputs]
    out, again, exact = (
        [o for o in (o if isinstance(o, tuple) else (o,)) if o is not None]
        for o in (kernels(*low), kernels(*low), reference(*inputs))
    )
    for one, two, true in zip(out, again, exact, strict=True):
        assert one.dtype == torch.float32
        assert torch.equal(one, two)
        torch.testing.assert_close(one.double(), true, rtol=1e-5, atol=1e-5)
    _, gradients = value_and_gradients(weighted(kernels), *low)
    _, same = value_and_gradients(weighted(kernels), *low)
    _, true = value_and_gradients(weighted(reference), *inputs)
    tolerance = single if dtype == torch.float32 else 2 * torch.finfo(dtype).eps
    for one, two, exact in zip(gradients, same, true, strict=True):
        assert one.dtype == dtype
        assert torch.equal(one, two)
        assert (one.double() - exact).norm() <= tolerance * exact.norm() + 1e-6


@runs_kernels
@dtypes
@bounds
@pytest.mark.parametrize("views", [0, 2, 3])
@pytest.mark.parametrize(("m", "d"), [(0, 3), (1, 3), (2, 16), (3, 1), (64, 7), (131, 33), (300, 20)])
def test_sym_lse_equals_dense(m, d, views, bound, dtype):
    m, num_items = (m - m % views, m // views) if views else (m, 0)
    agree(
        lambda x: sym_lse(x, num_items, bound=bound, backend="triton"),
        lambda x: dense.sym_lse(x, num_items),
        [rows(m, d, dtype, 3.0)],
        dtype,
    )


@runs_kernels
@dtypes
@bounds
@pytest.mark.parametrize("both", [False, True], ids=["rows", "both"])
@pytest.mark.parametrize(("n", "k"), [(0, 3), (3, 0), (1, 1), (2, 5), (67, 150), (260, 3)])
def test_cross_lse_equals_dense(n, k, both, bound, dtype):
    q, keys, log_weight = rows(n, 21, dtype, 3.0), rows(k, 21, dtype, 3.0), rows(k, 1, dtype)[:, 0]
    exclude = torch.randint(-1, max(k, 1), (n, 2), device=DEVICE)
    for options in ({}, {"exclude": exclude[:, 0]}, {"exclude": exclude}):
        agree(
            lambda q, k, w, o=options: cross_lse(q, k, log_weight=w, both=both, bound=bound, backend="triton", **o),
            lambda q, k, w, o=options: dense.cross_lse(q, k, log_weight=w, both=both, **o),
            [q, keys, log_weight],
            dtype,
        )


@runs_kernels
@dtypes
@pytest.mark.parametrize("f", ["softplus", "relu", "exp"])
@pytest.mark.parametrize(("n", "k"), [(0, 3), (3, 0), (2, 1), (67, 150)])
def test_row_sum_equals_dense(n, k, f, dtype):
    from gcl.pairwise import _triton as triton

    function = {"softplus": F.softplus, "relu": torch.relu, "exp": torch.exp}[f]
    exclude = torch.randint(-1, max(k, 1), (n, 2), device=DEVICE)
    for left_out in (None, exclude):
        keep = torch.ones(n, k, dtype=torch.double, device=DEVICE)
        if left_out is not None:
            keep -= (left_out[:, :, None] == torch.arange(k, device=DEVICE)).any(1).double()
        agree(
            lambda q, k, e=left_out: triton.row_sum(q, k, f, e),
            lambda q, k, keep=keep: (function(q @ k.T) * keep).sum(1),
            [rows(n, 21, dtype, 2.0), rows(k, 21, dtype, 2.0)],
            dtype,
        )


@runs_kernels
@dtypes
def test_scores_far_apart(dtype):
    """The running maximum meets scores of -500 to 500, which float32 holds to 3e-5; a softmax may be off by that."""
    q, k = rows(70, 128, dtype, 20.0), rows(90, 128, dtype, 20.0)
    agree(
        lambda q, k: cross_lse(q, k * 4, both=True, backend="triton"),
        lambda q, k: dense.cross_lse(q, k * 4, both=True),
        [q, k],
        dtype,
        single=1e-4,
    )


@runs_kernels
@pytest.mark.parametrize("column", [0, 31, 32, 63, 64, 127, 128, 129])
def test_one_column_left_out_at_the_edge_of_a_tile(column):
    """Tiles without excluded pairs skip the mask."""
    q, k = rows(130, 8, torch.float32), rows(130, 8, torch.float32)
    exclude = torch.full((130,), -1, device=DEVICE)
    exclude[129 - column] = column
    agree(
        lambda q, k: cross_lse(q, k, exclude=exclude, both=True, backend="triton"),
        lambda q, k: dense.cross_lse(q, k, exclude=exclude, both=True),
        [q, k],
        torch.float32,
    )


@runs_kernels
@dtypes
def test_small_weights_are_not_flushed(dtype):
    """300 weights of 3e-7, which float16 holds to 9 %, add up to a gradient that it holds well."""
    q, k = torch.zeros(1, 16, device=DEVICE, dtype=dtype), torch.full((300, 16), 10.0, device=DEVICE, dtype=dtype)
    _, (gradient,) = value_and_gradients(lambda q: 1e-4 * cross_lse(q, k, backend="triton").sum(), q)
    torch.testing.assert_close(gradient.double(), torch.full_like(gradient, 1e-3).double(), rtol=4e-3, atol=0)


@runs_kernels
def test_the_widest_rows_and_mixed_dtypes():
    q, k = rows(5, 256, torch.float16), rows(6, 256, torch.float16)
    out = cross_lse(q.half(), k.float(), backend="triton")
    torch.testing.assert_close(out.double(), dense.cross_lse(q, k), rtol=1e-5, atol=1e-5)


@runs_kernels
def test_a_row_without_columns_has_no_gradient():
    x = torch.randn(2, 4, device=DEVICE, requires_grad=True)
    for bound in (10.0, math.inf):
        out = sym_lse(x, 1, bound=bound, backend="triton")
        assert out.tolist() == [-math.inf, -math.inf]
        (gradient,) = torch.autograd.grad(out.sum(), x)
        assert gradient.tolist() == [[0.0] * 4] * 2


@runs_kernels
def test_what_it_refuses():
    with pytest.raises(ValueError, match=r'takes float32, float16 or bfloat16, got torch.float64: use backend="tiles"'):
        sym_lse(torch.zeros(2, 3, dtype=torch.double, device=DEVICE), backend="triton")
    with pytest.raises(ValueError, match="takes up to 256 columns, got 257"):
        sym_lse(torch.zeros(2, 257, device=DEVICE), backend="triton")
    with pytest.raises(ValueError, match='backend="triton" does not support log_weight'):
        sym_lse(torch.zeros(2, 3, device=DEVICE), log_weight=torch.cos, backend="triton")


def test_cpu_tensors_are_refused():
    """In a process of its own, where the kernel is not interpreted."""
    pytest.importorskip("triton", reason="triton is not installed")
    script = "import torch; from gcl.pairwise import sym_lse; sym_lse(torch.zeros(2, 3), backend='triton')"
    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment)
    assert 'ValueError: backend="triton" needs a CUDA tensor, got one on cpu' in done.stderr


def test_without_triton_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "gcl.pairwise._triton", None)
    monkeypatch.delattr("gcl.pairwise._triton", raising=False)
    with pytest.raises(ImportError, match=r'backend="triton" needs Triton: pip install triton'):
        sym_lse(torch.zeros(2, 3), backend="triton")
