"""How well k-means finds the classes."""

from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from sklearn.preprocessing import normalize
from torch import Generator, Tensor

from gcl._checks import check_embedding, check_labels
from gcl.eval._splits import draw_seed


def kmeans_scores(z: Tensor, y: Tensor, *, generator: Generator | None = None) -> dict[str, float]:
    """Agreement of k-means (k = number of classes, unit-length rows, 10 starts) with the classes.

    Args:
        z: embeddings ``[N, D]``.
        y: integer classes ``[N]``.
        generator: for the starts.

    Returns:
        ``nmi`` in [0, 1] and ``ari`` in [-0.5, 1].

    Raises:
        TypeError: ``z`` is not floating-point, or ``y`` not integer.
        ValueError: ``z`` has NaN, or the shapes do not fit.

    Example:
        >>> import torch
        >>> y = torch.arange(12) % 3
        >>> kmeans_scores(torch.eye(3)[y], y, generator=torch.Generator().manual_seed(0))
        {'nmi': 1.0, 'ari': 1.0}
    """
    check_embedding("z", z)
    check_labels(y, z.size(0))
    classes = y.cpu().numpy()
    found = KMeans(len(set(classes.tolist())), n_init=10, random_state=draw_seed(generator)).fit_predict(
        normalize(z.detach().double().cpu().numpy())
    )
    return {
        "nmi": float(normalized_mutual_info_score(classes, found)),
        "ari": float(adjusted_rand_score(classes, found)),
    }
