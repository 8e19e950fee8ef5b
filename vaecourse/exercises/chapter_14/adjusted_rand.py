"""The adjusted Rand index of clusters and types."""

import torch

from vaecourse.exercises.exercise import Exercise

__all__ = ["EXERCISE"]


def draw_labels(size, classes, seed):
    """Return labels from 0 to ``classes - 1``."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(classes, (size,), generator=generator)


def rand_cases():
    """Types and clusters that agree in part; the number of clusters is another."""
    cases = []
    for size, classes, seed in ((12, 3, 1), (60, 4, 2), (200, 6, 3)):
        types, noise = draw_labels(size, classes, seed), draw_labels(size, classes + 1, seed + 10)
        keep = draw_labels(size, 3, seed + 20) > 0
        cases.append((types, torch.where(keep, classes - types, noise)))
    worse_than_chance = torch.tensor([0, 0, 1, 1]), torch.tensor([0, 1, 0, 1])
    return [*cases, worse_than_chance]


def rand_truth(types, clusters):
    """Adjusted Rand index of scikit-learn."""
    from sklearn.metrics import adjusted_rand_score

    return float(adjusted_rand_score(types.numpy(), clusters.numpy()))


def pairs(types, clusters):
    """Return numbers of pairs: together in both, in types, in clusters, and in all."""
    same_type = types[:, None] == types
    same_cluster = clusters[:, None] == clusters
    num, both = len(types), same_type & same_cluster
    return (
        (both.sum().item() - num) / 2,
        (same_type.sum().item() - num) / 2,
        (same_cluster.sum().item() - num) / 2,
        num * (num - 1) / 2,
    )


def not_adjusted(types, clusters):
    """You returned the Rand index without the adjustment: chance alone gives far more than 0."""
    both, in_types, in_clusters, total = pairs(types, clusters)
    return (total + 2 * both - in_types - in_clusters) / total


def names_compared(types, clusters):
    """You compared names. A cluster's number means nothing; only who is together counts."""
    return (types == clusters).double().mean().item()


def largest_share(types, clusters):
    """You returned the purity, which is perfect as soon as every cell is its own cluster."""
    shares = [(types[clusters == c].bincount().max()).item() for c in clusters.unique()]
    return sum(shares) / len(types)


def not_normalized(types, clusters):
    """You took chance away but did not divide, so perfect agreement would not give 1."""
    both, in_types, in_clusters, total = pairs(types, clusters)
    return (both - in_types * in_clusters / total) / total


def jaccard(types, clusters):
    """You divided the pairs together in both by those together in either: chance is still in."""
    both, in_types, in_clusters, _ = pairs(types, clusters)
    return both / (in_types + in_clusters - both)


def pairs_of_itself(types, clusters):
    """You counted every cell as a pair with itself. Pairs have two different members."""
    num = len(types)
    both, in_types, in_clusters, _ = (2 * n + num for n in pairs(types, clusters))
    chance = in_types * in_clusters / num**2
    return (both - chance) / ((in_types + in_clusters) / 2 - chance)


def rand_by_table(types, clusters):
    """A right answer from the table of counts."""
    table = torch.zeros(int(types.max()) + 1, int(clusters.max()) + 1, dtype=torch.float64)
    table.index_put_((types, clusters), torch.tensor(1.0).double(), accumulate=True)
    both, rows, columns = (
        (n * (n - 1) / 2).sum().item() for n in (table, table.sum(1), table.sum(0))
    )
    chance = rows * columns / (len(types) * (len(types) - 1) / 2)
    return (both - chance) / ((rows + columns) / 2 - chance)


def by_hand(types, clusters):
    """Pairs together, less those by chance."""
    count = len(types)
    by_type = ((types[:, None] == types).sum().item() - count) / 2
    by_cluster = ((clusters[:, None] == clusters).sum().item() - count) / 2
    together = (types[:, None] == types) & (clusters[:, None] == clusters)
    both = (together.sum().item() - count) / 2
    chance = by_type * by_cluster / (count * (count - 1) / 2)
    return (both - chance) / ((by_type + by_cluster) / 2 - chance)


EXERCISE = Exercise(
    name="14-adjusted-rand",
    title="Do the clusters agree with the types?",
    difficulty=3,
    minutes=20,
    parameters=("types", "clusters"),
    cases=rand_cases,
    truth=rand_truth,
    returns=float,
    hints=(
        "Think of pairs of cells. A pair can be together by type, by cluster, or by both.",
        "Let P be the pairs together in both, A and B those together by type and by cluster, T all "
        "pairs. Chance gives AB/T on average, and at best P is (A + B)/2.",
        "`(P - A * B / T) / ((A + B) / 2 - A * B / T)`, with "
        "`P = ((same_type & same_cluster).sum().item() - n) / 2` and so on.",
    ),
    mistakes=(
        not_adjusted,
        names_compared,
        largest_share,
        not_normalized,
        jaccard,
        pairs_of_itself,
    ),
    alternatives=(rand_by_table,),
    formulas=(by_hand,),
    right="Zero is chance and one is perfect, whatever the number of clusters.",
)
