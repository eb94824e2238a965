"""Linear regression on frozen embeddings."""

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from gcl._checks import check_embedding
from gcl.eval._labels import Labels, as_tensor
from gcl.eval._scores import standardized
from gcl.eval._splits import as_split

PENALTIES = tuple(10.0 ** (k / 2) for k in range(-4, 13))


def ridge_probe(z: Tensor, y: Labels, split: Sequence[Tensor]) -> dict[str, float]:
    """Ridge regression on standardized columns; its penalty is chosen on validation, test is used once.

    Columns are brought to mean 0 and deviation 1 by the training rows. A column that is almost constant there, such
    as an almost dead ReLU, can so become huge on test rows: end the encoder without an activation. The greatest
    penalty all but gives the mean target of the training rows, the baseline to compare with.

    Args:
        z, split: as for :func:`gcl.eval.linear_probe`.
        y: a tensor or array of floating-point targets, ``[N]`` or ``[N, 1]``.

    Returns:
        ``rmse`` and ``mae`` on the test rows, ``val_rmse``, all in the unit of ``y``, and ``penalty``, the one of the
        least error on the validation rows from 0.01 to a million in steps of half a decade.

    Raises:
        TypeError, ValueError: ``z`` or ``y`` is not floating-point or has NaN, or shapes or the split do not fit.

    **Source:** the ``rmse`` metric of OGB (arXiv 2005.00687). **Differs:** nothing.

    Example:
        >>> import torch
        >>> z = torch.randn(30, 2, generator=torch.Generator().manual_seed(0))
        >>> ridge_probe(z, z @ torch.tensor([1.0, -2.0]) + 5, torch.arange(30).split(10))["rmse"] < 0.01
        True
    """
    from sklearn.linear_model import Ridge
    from sklearn.metrics import mean_absolute_error, root_mean_squared_error

    check_embedding("z", z)
    given = as_tensor(y)
    target = given.reshape(-1, 1) if given.dim() == 1 else given
    check_embedding("y", target)
    if target.shape != (z.size(0), 1):
        raise ValueError(f"y must have shape [{z.size(0)}] or [{z.size(0)}, 1], got {tuple(given.shape)}")
    train, val, test = (part.numpy() for part in as_split(split, z.size(0)))
    rows, targets = standardized(z, train), target.squeeze(1).double().numpy()
    probes = [Ridge(penalty).fit(rows[train], targets[train]) for penalty in PENALTIES]
    errors = [float(root_mean_squared_error(targets[val], probe.predict(rows[val]))) for probe in probes]
    best = int(np.argmin(errors))
    guess, metrics = probes[best].predict(rows[test]), {"rmse": root_mean_squared_error, "mae": mean_absolute_error}
    scores = {name: float(metric(targets[test], guess)) for name, metric in metrics.items()}
    return scores | {"val_rmse": errors[best], "penalty": PENALTIES[best]}
