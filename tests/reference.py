"""Textbook forms of the losses, written from the papers: dense, float64, differentiated by autograd."""

import math
from functools import partial

import torch
from torch.nn.functional import logsigmoid


def unit(z):
    """Unit rows; a zero row stays."""
    length = z.norm(dim=1, keepdim=True)
    return z / torch.where(length > 0, length, torch.ones_like(length))


def off_diagonal(m):
    """The entries off the diagonal."""
    return m[~torch.eye(len(m), dtype=torch.bool)]


def softplus(x):
    """log(1 + e^x)."""
    return -logsigmoid(-x)


def two_views(z1, z2, temperature):
    """The scores of all 2N rows with each other, and for each row the column of its positive."""
    u, n = unit(torch.cat([z1, z2])), len(z1)
    return u @ u.T / temperature, torch.cat([torch.arange(n) + n, torch.arange(n)])


def positives_and_negatives(z1, z2, temperature):
    """Scores of the positive [2N] and of the 2N - 2 negatives [2N, 2N - 2]."""
    scores, partner = two_views(z1, z2, temperature)
    rows = torch.arange(len(scores))
    negative = torch.ones_like(scores, dtype=torch.bool)
    negative[rows, rows] = negative[rows, partner] = False
    return scores[rows, partner], scores[negative].reshape(len(scores), -1)


def info_nce(z1, z2, temperature=0.5, intraview=True):
    """GRACE, eq. 1 and 2, with every term written out."""

    def one_direction(a, b):
        inter = unit(a) @ unit(b).T / temperature
        intra = (unit(a) @ unit(a).T / temperature).fill_diagonal_(float("-inf"))
        denominator = torch.cat([inter, intra], dim=1) if intraview else inter
        return denominator.logsumexp(dim=1) - inter.diagonal()

    return (one_direction(z1, z2) + one_direction(z2, z1)).mean() / 2


def nt_xent_one_way(z1, z2, temperature=0.2):
    """GraphCL, eq. 3."""
    scores = unit(z1) @ unit(z2).T / temperature
    return (scores.clone().fill_diagonal_(float("-inf")).logsumexp(1) - scores.diagonal()).mean()


def decoupled(z1, z2, temperature=0.1):
    """DCL."""
    positive, negatives = positives_and_negatives(z1, z2, temperature)
    return (negatives.logsumexp(1) - positive).mean()


def hard_negative(z1, z2, temperature=0.5, beta=1.0, prior=0.1):
    """HCL as its code has it, in exponentials."""
    positive, negatives = (x.exp() for x in positives_and_negatives(z1, z2, temperature))
    m = negatives.size(1)
    weight = negatives**beta
    reweighted = (weight * negatives).sum(1) / weight.mean(1)
    g = ((reweighted - prior * m * positive) / (1 - prior)).clamp_min(m * math.exp(-1 / temperature))
    return -(positive / (positive + g)).log().mean()


def debiased(z1, z2, temperature=0.5, prior=0.1):
    """Debiased contrastive learning: no weights."""
    positive, negatives = (x.exp() for x in positives_and_negatives(z1, z2, temperature))
    m = negatives.size(1)
    g = ((negatives.sum(1) - prior * m * positive) / (1 - prior)).clamp_min(m * math.exp(-1 / temperature))
    return -(positive / (positive + g)).log().mean()


def macl(z1, z2, temperature=0.1, alpha=0.5, threshold=0.0):
    """MACL: the temperature from the alignment, and the reweighted terms, both detached."""
    alignment = (unit(z1) * unit(z2)).sum(1).mean().detach()
    t = temperature * (1 + alpha * (alignment - threshold))
    positive, negatives = positives_and_negatives(z1, z2, t)
    terms = softplus((negatives - positive[:, None]).logsumexp(1))
    p = (-terms).exp().detach()
    return (terms / -torch.expm1(p.log())).mean()


def progcl(z1, z2, temperature=0.5):
    """ProGCL: weights from the posterior of a beta mixture, whose densities are torch's; detached."""
    x = ((1 + unit(z1) @ unit(z2).T) / 2).detach()
    n = len(x)
    sample = torch.stack([x[i, (i + shift) % n] for shift in range(1, n) for i in range(n)])
    true, false = beta_mixture(sample.clamp(1e-4, 1 - 1e-4))

    def weight(scores):
        x = ((1 + scores * temperature) / 2).detach().clamp(1e-4, 1 - 1e-4)
        return (x * (true(x) - torch.logaddexp(true(x), false(x))).exp()).clamp_min(math.exp(-20))

    positive, negatives = positives_and_negatives(z1, z2, temperature)
    w = weight(negatives)
    w = (w / w.mean(1, keepdim=True)).log()
    return softplus((negatives + w).logsumexp(1) - positive).mean()


def beta_mixture(x):
    """Log-densities of two beta components, of the lower mean first, after 50 rounds of EM by matching moments."""

    def log_density(parameters, x):
        a, b, share = parameters
        a, b = (torch.tensor(value, dtype=torch.double) for value in (a, b))  # of numbers, Beta is float32
        return torch.distributions.Beta(a, b).log_prob(x) + math.log(share)

    components = [(1.0, 2.0, 0.95), (2.0, 1.0, 0.05)]
    for _ in range(50):
        first, second = (log_density(component, x) for component in components)
        probability = (first - torch.logaddexp(first, second)).exp()
        components = []
        for r in (probability, 1 - probability):
            mean = float((r * x).sum() / r.sum())
            variance = max(float((r * (x - mean) ** 2).sum() / r.sum()), 1e-12)
            precision = min(max(mean * (1 - mean) / variance - 1, 1e-2), 1e4)
            components.append((mean * precision, (1 - mean) * precision, float(r.mean())))
    components.sort(key=lambda component: component[0] / component[1])
    return [partial(log_density, component) for component in components]


def poly_view(z1, z2, z3, temperature=0.5, arithmetic=False):
    """Poly-view contrastive learning, with loops over the views."""
    views = [unit(z) for z in (z1, z2, z3)]
    total = 0
    for a, anchor in enumerate(views):
        negatives = torch.cat([(anchor @ other.T / temperature).fill_diagonal_(float("-inf")) for other in views], 1)
        negatives = negatives.logsumexp(1)
        logs = []
        for b, other in enumerate(views):
            if b != a:
                positive = (anchor * other).sum(1) / temperature
                logs.append(positive - torch.logaddexp(positive, negatives))
        logs = torch.stack(logs)
        total = total - (logs.exp().mean(0).log() if arithmetic else logs.mean(0)).mean()
    return total / 3


def sup_con(z, y, temperature=0.1):
    """SupCon, eq. 2, with a loop over the anchors."""
    scores = unit(z) @ unit(z).T / temperature
    terms = []
    for i in range(len(z)):
        others = torch.arange(len(z)) != i
        positive = others & (y == y[i])
        if positive.any():
            terms.append(scores[i, others].logsumexp(0) - scores[i, positive].mean())
    return torch.stack(terms).mean()


def jsd(z1, z2):
    """Deep InfoMax, eq. 4, over all pairs."""
    scores = z1 @ z2.T
    return softplus(-scores.diagonal()).mean() + softplus(off_diagonal(scores)).mean() - 2 * math.log(2)


def siglip(z1, z2, scale=10.0, bias=-10.0):
    """SigLIP, algorithm 1."""
    logits = unit(z1) @ unit(z2).T * scale + bias
    labels = 2 * torch.eye(len(z1), dtype=logits.dtype) - 1
    return -logsigmoid(labels * logits).sum() / len(z1)


def triplet(z1, z2, margin=0.5):
    """All negatives of the other view."""
    scores = unit(z1) @ unit(z2).T
    return off_diagonal((margin + scores - scores.diagonal()[:, None]).clamp_min(0)).mean()


def alignment(z1, z2):
    """Wang and Isola, alpha = 2."""
    return (unit(z1) - unit(z2)).norm(dim=1).square().mean()


def squared_distances(z):
    """[N, N], by differences."""
    return (z[:, None] - z).square().sum(2)


def uniformity(z, t=2.0):
    """Wang and Isola."""
    return off_diagonal(2 - 2 * unit(z) @ unit(z).T).mul(-t).exp().mean().log()


def dispersive(z, temperature=0.5):
    """Diffuse and disperse."""
    return off_diagonal(squared_distances(z)).div(-temperature).logsumexp(0) - math.log(len(z) * (len(z) - 1))


def standardize(z):
    """Columns with mean 0 and deviation 1; a constant column is 0."""
    centered = z - z.mean(0)
    std = centered.square().mean(0)
    return centered / torch.where(std > 0, std, torch.ones_like(std)).sqrt()


def barlow_twins(z1, z2, off_diagonal_weight=5e-3):
    """Barlow Twins, eq. 1."""
    c = standardize(z1).T @ standardize(z2) / len(z1)
    return (1 - c.diagonal()).square().sum() + off_diagonal_weight * off_diagonal(c).square().sum()


def vicreg(z1, z2):
    """VICReg, eq. 1 to 6."""
    d = z1.size(1)
    v = sum((1 - (z.var(0) + 1e-4).sqrt()).clamp_min(0).mean() for z in (z1, z2))
    c = sum(off_diagonal(torch.cov(z.T)).square().sum() / d for z in (z1, z2))
    return 25 * (z1 - z2).square().mean() + 25 * v + c


def cca_ssg(z1, z2, decorrelation_weight=1e-3):
    """CCA-SSG: the distance of the standardized views, minus its constant, halved; and the decorrelation."""
    y1, y2 = (standardize(z) / len(z) ** 0.5 for z in (z1, z2))
    eye = torch.eye(z1.size(1), dtype=z1.dtype)
    live = sum(y.square().sum() for y in (y1, y2)) / 2
    invariance = (y1 - y2).square().sum() / 2 - live
    return invariance + decorrelation_weight * sum((y.T @ y - eye).norm().square() for y in (y1, y2))


def ssge(z1, z2, uniformity_weight=0.1):
    """SSGE: the mean product of the standardized rows, and the roots of the covariances' eigenvalues, without zeros."""
    y1, y2 = standardize(z1), standardize(z2)
    roots = torch.cat([torch.linalg.svdvals(y) / len(y) ** 0.5 for y in (y1, y2)])
    return -(y1 * y2).sum(1).mean() - uniformity_weight * roots[roots > 1e-7].sum()


def byol(p, z):
    """BYOL, eq. 2."""
    return (2 - 2 * (unit(p) * unit(z.detach())).sum(1)).mean()


def scaled_cosine_error(prediction, target, gamma=3.0):
    """GraphMAE, eq. 2."""
    return ((1 - (unit(prediction) * unit(target)).sum(1)) ** gamma).mean()


def value_and_gradients(loss, *inputs):
    """The loss and its gradients at fresh leaves."""
    leaves = [value.detach().clone().requires_grad_() for value in inputs]
    value = loss(*leaves)
    return value.detach(), torch.autograd.grad(value, leaves, allow_unused=True, materialize_grads=True)
