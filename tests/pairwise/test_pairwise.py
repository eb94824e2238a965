"""The primitives against the whole similarity matrix in float64."""

import math
import subprocess
import sys

import pytest
import torch

from gcl.pairwise import cross_lse, edge_dot, edge_sum, row_sum, sym_lse
from tests.pairwise import dense
from tests.pairwise.inputs import weighted
from tests.reference import value_and_gradients

SIZES = (0, 1, 2, 3, 5, 64, 257, 600, 1030)
bounds = pytest.mark.parametrize("bound", [20.0, math.inf], ids=["bounded", "unbounded"])


def close(one, other, tolerance=1e-12):
    torch.testing.assert_close(one, other, rtol=tolerance, atol=tolerance)


@bounds
@pytest.mark.parametrize("views", [0, 2, 3])
@pytest.mark.parametrize("m", SIZES)
def test_sym_lse_equals_dense(m, views, bound):
    m, num_items = (m - m % views, m // views) if views else (m, 0)
    x = torch.randn(m, 7, dtype=torch.double) * 0.8
    tiles = lambda x: sym_lse(x, num_items, bound=bound)  # noqa: E731
    exact = lambda x: dense.sym_lse(x, num_items)  # noqa: E731
    close(tiles(x), exact(x))
    close(value_and_gradients(weighted(tiles), x)[1], value_and_gradients(weighted(exact), x)[1])


@bounds
@pytest.mark.parametrize("m", [2, 64, 1030])
def test_weighted_sym_lse_equals_dense(m, bound):
    x = torch.randn(m, 7, dtype=torch.double) * 0.8
    log_weight = lambda scores: -scores.square() / 9  # noqa: E731
    tiles = lambda x: sym_lse(x, m // 2, log_weight=log_weight, bound=bound)  # noqa: E731
    exact = lambda x: dense.sym_lse(x, m // 2, log_weight=log_weight)  # noqa: E731
    close(tiles(x), exact(x))
    close(value_and_gradients(weighted(tiles), x)[1], value_and_gradients(weighted(exact), x)[1])


def test_the_weight_of_a_pair_by_hand_and_without_gradient():
    x = torch.tensor([[1.0], [2.0], [3.0]], requires_grad=True)
    got = sym_lse(x, log_weight=lambda scores: (scores == 6).log())  # only the pair of 2 and 3 counts
    close(got, torch.tensor([-math.inf, 6.0, 6.0]), 1e-6)
    close(torch.autograd.grad(got[1], x)[0], torch.tensor([[0.0], [3.0], [2.0]]), 1e-6)


def test_sym_lse_by_hand():
    x = torch.tensor([[1.0], [2.0], [3.0], [4.0]])
    expected = [math.log(sum(math.exp(a * b) for b in others)) for a, others in ((1, (2, 4)), (2, (1, 3)))]
    close(sym_lse(x, num_items=2)[:2], torch.tensor(expected), 1e-6)
    close(sym_lse(x)[:1], torch.tensor([math.log(math.exp(2) + math.exp(3) + math.exp(4))]), 1e-6)


@bounds
@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (1, 1), (2, 5), (600, 3), (513, 1025)], ids=str)
def test_cross_lse_equals_dense(shape, both, bound):
    n, k = shape
    q, keys = torch.randn(n, 5, dtype=torch.double), torch.randn(k, 5, dtype=torch.double)
    log_weight = torch.randn(k, dtype=torch.double)
    exclude = torch.randint(-1, max(k, 1), (n, 2))
    for options in ({}, {"exclude": exclude[:, 0]}, {"exclude": exclude}):
        tiles = lambda *x, o=options: cross_lse(x[0], x[1], log_weight=x[2], both=both, bound=bound, **o)  # noqa: E731
        exact = lambda *x, o=options: dense.cross_lse(x[0], x[1], log_weight=x[2], both=both, **o)  # noqa: E731
        close(tiles(q, keys, log_weight), exact(q, keys, log_weight))
        inputs = (q, keys, log_weight)
        close(value_and_gradients(weighted(tiles), *inputs), value_and_gradients(weighted(exact), *inputs))


@pytest.mark.parametrize("f", ["softplus", "relu", "exp"])
@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (1, 1), (2, 5), (600, 3), (513, 1025)], ids=str)
def test_row_sum_equals_dense(shape, f):
    n, k = shape
    inputs = torch.randn(n, 5, dtype=torch.double), torch.randn(k, 5, dtype=torch.double)
    for exclude in (None, torch.randint(-1, max(k, 1), (n,)), torch.randint(-1, max(k, 1), (n, 2))):
        tiles = lambda q, k, e=exclude: row_sum(q, k, f, exclude=e)  # noqa: E731
        exact = lambda q, k, e=exclude: dense.row_sum(q, k, f, exclude=e)  # noqa: E731
        close(tiles(*inputs), exact(*inputs))
        close(value_and_gradients(weighted(tiles), *inputs), value_and_gradients(weighted(exact), *inputs))


@pytest.fixture(params=[0, 1, 400, 3_000])
def edge_index(request):
    """From 20 rows to 30, most pairs several times, the last rows without edges."""
    return torch.stack([torch.randint(29, (request.param,)), torch.randint(19, (request.param,))])


def test_edge_dot_equals_dense(edge_index):
    inputs = torch.randn(30, 5, dtype=torch.double), torch.randn(20, 5, dtype=torch.double)
    ours = lambda q, k: edge_dot(q, k, edge_index)  # noqa: E731
    exact = lambda q, k: (q @ k.T)[edge_index[0], edge_index[1]]  # noqa: E731
    close(ours(*inputs), exact(*inputs))
    close(value_and_gradients(weighted(ours), *inputs), value_and_gradients(weighted(exact), *inputs))


def test_edge_sum_equals_dense(edge_index):
    inputs = torch.randn(edge_index.size(1), dtype=torch.double), torch.randn(20, 5, dtype=torch.double)
    ours = lambda w, x: edge_sum(w, x, edge_index, 30).flatten()  # noqa: E731
    matrix = lambda w: w.new_zeros(30, 20).index_put((edge_index[0], edge_index[1]), w, accumulate=True)  # noqa: E731
    exact = lambda w, x: (matrix(w) @ x).flatten()  # noqa: E731
    close(ours(*inputs), exact(*inputs))
    close(value_and_gradients(weighted(ours), *inputs), value_and_gradients(weighted(exact), *inputs))


def test_edge_products_are_twice_differentiable():
    edge_index = torch.tensor([[0, 0, 2, 2, 2], [1, 1, 0, 3, 1]])
    q, k, w = (torch.randn(*shape, dtype=torch.double, requires_grad=True) for shape in ((3, 2), (4, 2), (5,)))
    dot, total = lambda q, k: edge_dot(q, k, edge_index), lambda w, k: edge_sum(w, k, edge_index, 3)
    for function, inputs in ((dot, (q, k)), (total, (w, k))):
        assert torch.autograd.gradcheck(function, inputs)
        assert torch.autograd.gradgradcheck(function, inputs)


def test_edge_products_in_half_precision_are_float32():
    edge_index = torch.tensor([[0, 1], [1, 2]])
    x = torch.randn(3, 4, dtype=torch.bfloat16)
    assert torch.equal(edge_dot(x, x, edge_index), (x.float()[:2] * x.float()[1:]).sum(1))
    with torch.autocast("cpu", torch.bfloat16):
        got = edge_sum(torch.ones(2, dtype=torch.bfloat16), x, edge_index, 3)
    assert torch.equal(got, torch.cat([x[1:].float(), torch.zeros(1, 4)]))


@pytest.mark.parametrize(
    ("edge_index", "message"),
    [
        (torch.arange(3), r"edge_index must have shape \[2, E\], got \(3,\)"),
        (torch.tensor([[0, 3], [0, 0]]), r"edge_index must hold row numbers in \[0, 3\), got 3"),
        (torch.tensor([[0, 1], [-1, 0]]), r"edge_index must hold row numbers in \[0, 4\), got -1"),
    ],
)
def test_edge_products_refuse_edges_of_other_rows(edge_index, message):
    with pytest.raises(ValueError, match=message):
        edge_dot(torch.ones(3, 2), torch.ones(4, 2), edge_index)
    with pytest.raises(ValueError, match=message):
        edge_sum(torch.ones(2), torch.ones(4, 2), edge_index, 3)


@pytest.mark.filterwarnings("ignore::UserWarning")  # the compiler's own
def test_compiled_functions_may_use_them():
    def loss(x):
        return sym_lse(2 * x, bound=60.0).mean() + row_sum(x, x, "softplus").mean()

    x = torch.randn(40, 6)
    compiled = torch.compile(loss, backend="eager")
    close(value_and_gradients(compiled, x), value_and_gradients(loss, x), 1e-6)


def test_gradcheck():
    x = torch.randn(6, 3, dtype=torch.double, requires_grad=True)
    k = torch.randn(4, 3, dtype=torch.double, requires_grad=True)
    log_weight = torch.randn(4, dtype=torch.double, requires_grad=True)
    for bound in (30.0, math.inf):
        assert torch.autograd.gradcheck(lambda x, b=bound: sym_lse(x, 3, bound=b), x)
        assert torch.autograd.gradcheck(
            lambda *i, b=bound: cross_lse(i[0], i[1], log_weight=i[2], both=True, bound=b), (x, k, log_weight)
        )


def test_only_what_needs_a_gradient_gets_one():
    q, k = torch.randn(3, 2, requires_grad=True), torch.randn(4, 2)
    cross_lse(q, k, log_weight=torch.zeros(4)).sum().backward()
    assert q.grad is not None


@pytest.mark.parametrize("scale", [1e-3, 1.0, 30.0])
def test_float32_is_accurate_at_any_scale(scale):
    x = torch.nn.functional.normalize(torch.randn(300, 16, dtype=torch.double)) * scale
    exact, exact_gradient = value_and_gradients(lambda x: dense.sym_lse(x, 150).sum(), x)
    single, gradient = value_and_gradients(lambda x: sym_lse(x, 150).sum(), x.float())
    assert single.isfinite()
    assert abs(single - exact) < 1e-6 * exact.abs()
    error = (gradient[0] - exact_gradient[0]).norm() / exact_gradient[0].norm()
    assert error < 3e-6 * max(1.0, scale**2 / 10)  # a score of s is known to 6e-8 s, its exponential to as much


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_inputs_are_accumulated_in_float32(dtype):
    x = torch.nn.functional.normalize(torch.randn(200, 32)).to(dtype)
    out = sym_lse(x, 100)
    assert out.dtype == torch.float32
    close(out, sym_lse(x.float(), 100))
    (gradient,) = value_and_gradients(lambda x: sym_lse(x, 100).mean(), x)[1]
    (exact,) = value_and_gradients(lambda x: sym_lse(x, 100).mean(), x.float())[1]
    assert gradient.dtype == dtype
    assert (gradient.float() - exact).norm() < 4 * torch.finfo(dtype).eps * exact.norm()


@pytest.mark.parametrize(("temperature", "error"), [(0.5, 2e-5), (0.07, 3e-4)])
def test_error_of_tf32_products(temperature, error):
    """Operands rounded to tf32's 10 bits, as in CUDA's products where torch allows it."""
    x = torch.nn.functional.normalize(torch.randn(300, 64, dtype=torch.double)) / temperature**0.5
    rounded = ((x.float().view(torch.int32) + 0x1000) & ~0x1FFF).view(torch.float32)
    exact, (exact_gradient,) = value_and_gradients(lambda x: dense.sym_lse(x, 150).mean(), x)
    value, (gradient,) = value_and_gradients(lambda x: sym_lse(x, 150).mean(), rounded)
    assert abs(value - exact) < error
    assert (gradient - exact_gradient).norm() < 2e-3 * exact_gradient.norm()


def test_autocast_does_not_round_the_scores():
    x = torch.randn(50, 8) * 2
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = sym_lse(x)
    close(inside, sym_lse(x), 1e-7)


def test_twice_in_one_graph_and_without_gradients():
    x = torch.randn(20, 4, dtype=torch.double, requires_grad=True)
    (sym_lse(x).sum() + 2 * sym_lse(x * 2).sum()).backward()
    expected = value_and_gradients(lambda x: dense.sym_lse(x).sum() + 2 * dense.sym_lse(x * 2).sum(), x)
    close(x.grad, expected[1][0])
    with torch.no_grad():
        assert not sym_lse(x).requires_grad


def test_memory_stays_linear():
    """4,000 pairs, forward and backward, grow a fresh process by less than 50 MB; the matrix alone has 256 MB."""
    script = """
import resource, torch
from gcl.losses import info_nce
torch.set_num_threads(2)
z1, z2 = (torch.randn(4_000, 128, requires_grad=True) for _ in range(2))
info_nce(z1[:1200], z2[:1200]).backward()
z1.grad = z2.grad = None
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
before = peak()
info_nce(z1, z2).backward()
print(peak() - before)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 50


def test_bad_input_is_named():
    x = torch.randn(4, 3)
    with pytest.raises(ValueError, match="num_items must be 0 or divide the 4 rows of x, got 3"):
        sym_lse(x, 3)
    with pytest.raises(ValueError, match=r"x must have shape \[N, D\], got \(4,\)"):
        sym_lse(x[:, 0])
    with pytest.raises(TypeError, match=r"x must be a floating-point tensor \[N, D\], got torch.int64 tensor"):
        sym_lse(x.long())
    with pytest.raises(ValueError, match=r"backend must be one of \['tiles', 'triton'\], got 'magic'"):
        sym_lse(x, backend="magic")
    with pytest.raises(ValueError, match="q and k must have the same width, got 3 and 2"):
        cross_lse(x, x[:, :2])
    with pytest.raises(ValueError, match=r"log_weight must have shape \[4\]"):
        cross_lse(x, x, log_weight=torch.zeros(3))
    with pytest.raises(ValueError, match=r"f must be one of \['exp', 'relu', 'softplus'\], got 'tanh'"):
        row_sum(x, x, "tanh")
    with pytest.raises(ValueError, match=r"exclude must have shape \[4\] or \[4, X\], got \(3,\)"):
        cross_lse(x, x, exclude=torch.zeros(3).long())


X, EDGES = torch.ones(4, 3), torch.tensor([[0, 1], [1, 0]])
REFUSED = [
    (lambda: sym_lse(X.to_sparse()), TypeError, "x must be dense, got torch.sparse_coo"),
    (lambda: sym_lse(X, bound=None), TypeError, "bound must be a number of at least 0, got None"),
    (lambda: sym_lse(X, bound=math.nan), ValueError, "bound must be at least 0, got nan"),
    (lambda: sym_lse(X, 1.5), TypeError, "num_items must be an int, got 1.5"),
    (lambda: sym_lse(X, log_weight=X), TypeError, "log_weight must be a function of the scores"),
    (lambda: cross_lse(X, X.double()), ValueError, "q and k must have the same dtype, got torch.float32 and torch.flo"),
    (lambda: cross_lse(X, None), TypeError, "k must be a floating-point tensor .*, got NoneType"),
    (lambda: cross_lse(X, X, bound=[0.1]), TypeError, "bound must be a number of at least 0"),
    (lambda: cross_lse(X, X, log_weight=[0.0] * 4), TypeError, "log_weight must be a floating-point tensor"),
    (lambda: cross_lse(X, X, exclude=torch.zeros(4)), TypeError, "exclude must be a long tensor, got torch.float32"),
    (lambda: row_sum(X, X, "exp", exclude=torch.full((4,), 9)), ValueError, r"column numbers in \[-1, 4\), got 9"),
    (lambda: edge_dot(X, X.to_sparse(), EDGES), TypeError, "k must be dense"),
    (lambda: edge_dot(X, X, [[0], [1]]), TypeError, "edge_index must be a long tensor, got list"),
    (lambda: edge_sum(torch.ones(2).long(), X, EDGES, 4), TypeError, "edge_weight must be a floating-point tensor"),
    (lambda: edge_sum(torch.ones(2), X, EDGES, None), TypeError, "num_rows must be an int, got None"),
]


@pytest.mark.parametrize(("call", "error", "message"), REFUSED)
def test_wrong_arguments_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
