"""Agreement of k-means with the classes."""

from torch import Generator, Tensor

from gcl._checks import check_embedding
from gcl.eval._labels import Labels, as_classes, check_several_classes
from gcl.eval._splits import draw_seed
from gcl.losses._similarity import unit


def kmeans_scores(z: Tensor, y: Labels, *, generator: Generator | None = None) -> dict[str, float]:
    """Agreement of k-means (k = number of classes, unit-length rows, 10 starts) with the classes.

    Args:
        z: embeddings ``[N, D]``.
        y: a tensor or array of integer classes ``[N]``, at least two.
        generator: for the starts.

    Returns:
        ``nmi`` in [0, 1] and ``ari`` in [-0.5, 1].

    Raises:
        TypeError, ValueError: as :func:`gcl.eval.linear_probe` for classes, over all rows.

    Example:
        >>> import torch
        >>> y = torch.arange(12) % 3
        >>> kmeans_scores(torch.eye(3)[y], y, generator=torch.Generator().manual_seed(0))
        {'nmi': 1.0, 'ari': 1.0}
    """
    from sklearn.cluster import KMeans
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    check_embedding("z", z)
    classes = as_classes(y, z.size(0))
    check_several_classes("y", classes)
    k_means = KMeans(len(classes.unique()), n_init=10, random_state=draw_seed(generator))
    clusters = k_means.fit_predict(unit(z.detach().double()).cpu().numpy())
    metrics = {"nmi": normalized_mutual_info_score, "ari": adjusted_rand_score}
    return {name: float(metric(classes.numpy(), clusters)) for name, metric in metrics.items()}
