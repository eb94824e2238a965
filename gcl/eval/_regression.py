"""What a linear regression reads off frozen embeddings."""

import numpy as np
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from gcl._checks import check_embedding
from gcl.eval._splits import Split

PENALTIES = tuple(10.0 ** (k / 2) for k in range(-4, 13))


def ridge_probe(z: Tensor, y: Tensor, split: Split) -> dict[str, float]:
    """Ridge regression on standardized columns; its penalty chosen on validation, test used once.

    Columns are brought to mean 0 and deviation 1 by the training rows. A column that is almost constant there, such
    as an almost dead ReLU, can so become huge on test rows: end the encoder without an activation. The greatest
    penalty all but gives the mean target of the training rows, the baseline to compare with.

    Args:
        z: embeddings ``[N, D]``, any device.
        y: floating-point targets ``[N]`` or ``[N, 1]``.
        split: rows for training, for choosing, for testing.

    Returns:
        ``rmse`` and ``mae`` on the test rows, ``val_rmse``, all in the unit of ``y``, and ``penalty``, the one of the
        least error on the validation rows from 0.01 to a million in steps of half a decade.

    Raises:
        TypeError: ``z`` or ``y`` is not floating-point.
        ValueError: ``z`` or ``y`` has NaN, shapes do not fit, or the split is not valid.

    **Source:** the ``rmse`` metric of OGB (arXiv 2005.00687). **Differs:** as there.

    Example:
        >>> import torch
        >>> z = torch.randn(30, 2, generator=torch.Generator().manual_seed(0))
        >>> split = Split(torch.arange(10), torch.arange(10, 20), torch.arange(20, 30))
        >>> ridge_probe(z, z @ torch.tensor([1.0, -2.0]) + 5, split)["rmse"] < 0.01
        True
    """
    check_embedding("z", z)
    target = y.reshape(-1, 1) if y.dim() == 1 else y
    check_embedding("y", target)
    if target.shape != (z.size(0), 1):
        raise ValueError(f"y must have shape [{z.size(0)}] or [{z.size(0)}, 1], got {tuple(y.shape)}")
    split.check(z.size(0))
    train, val, test = (part.cpu().numpy() for part in split)
    rows, targets = z.detach().double().cpu().numpy(), target.squeeze(1).double().cpu().numpy()
    rows = StandardScaler().fit(rows[train]).transform(rows)
    probes = [Ridge(penalty).fit(rows[train], targets[train]) for penalty in PENALTIES]
    errors = [_rmse(probe.predict(rows[val]) - targets[val]) for probe in probes]
    best = int(np.argmin(errors))
    error = probes[best].predict(rows[test]) - targets[test]
    return {
        "rmse": _rmse(error),
        "mae": float(np.abs(error).mean()),
        "val_rmse": errors[best],
        "penalty": PENALTIES[best],
    }


def _rmse(error: np.ndarray) -> float:
    return float(np.sqrt(np.square(error).mean()))
