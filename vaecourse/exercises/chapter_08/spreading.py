"""Where spreading ends."""

import torch

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def case(rows, classes, alpha, seed):
    """A random graph in which every row has a neighbor, and a few labels."""
    away = normal((rows, rows), seed, torch.float64)
    graph = ((away + away.T).abs() > 1.8).double()
    ring = torch.roll(torch.eye(rows, dtype=torch.float64), 1, 0)
    graph = ((graph + ring + ring.T) > 0).double().fill_diagonal_(0)
    y = torch.arange(rows) % (2 * classes)
    told = (y[:, None] == torch.arange(classes)).double()
    return graph, told, alpha


def cases():
    """Small and larger graphs, two values of alpha."""
    return [case(6, 2, 0.8, 1), case(60, 4, 0.9, 2), case(9, 3, 0.5, 3), case(12, 3, 0.99, 4)]


def shares(graph, left=0.5, right=0.5):
    """Weights of the graph, divided by powers of the degrees."""
    degrees = graph.sum(1)
    return degrees[:, None] ** -left * graph * degrees**-right


def truth(graph, told, alpha):
    """Repeat the rule until nothing moves."""
    evidence, step = told, shares(graph)
    for _ in range(2000):
        evidence = alpha * step @ evidence + (1 - alpha) * told
    return evidence


def limit(step, told, alpha):
    """Where the rule ends, for any weights."""
    system = torch.eye(len(step), dtype=step.dtype) - alpha * step
    return (1 - alpha) * torch.linalg.solve(system, told)


def rows_normalized(graph, told, alpha):
    """You divided by the degree of the receiver alone. The rule takes a root of both degrees."""
    return limit(shares(graph, 1.0, 0.0), told, alpha)


def columns_normalized(graph, told, alpha):
    """You divided by the degree of the sender alone. The rule takes a root of both degrees."""
    return limit(shares(graph, 0.0, 1.0), told, alpha)


def no_root(graph, told, alpha):
    """You divided by both degrees. Take their roots, or the evidence dies out on its way."""
    return limit(shares(graph, 1.0, 1.0), told, alpha)


def turned_around(graph, told, alpha):
    """You weighted the labels with α. It belongs to the neighbors."""
    return limit(shares(graph), told, 1 - alpha)


def one_round(graph, told, alpha):
    """You stopped after one round. Evidence has then gone one edge far."""
    return alpha * shares(graph) @ told + (1 - alpha) * told


def labels_weighted_one(graph, told, alpha):
    """You left out 1 − α before the labels. The classes are the same, the evidence is not."""
    return limit(shares(graph), told, alpha) / (1 - alpha)


def by_eigenvectors(graph, told, alpha):
    """Solve in the basis of eigenvectors."""
    root = graph.sum(1).rsqrt().diag()
    values, vectors = torch.linalg.eigh(root @ graph @ root)
    gains = (1 - alpha) / (1 - alpha * values)
    return vectors @ (gains[:, None] * (vectors.T @ told))


def by_hand(graph, told, alpha):
    """Solve for what one round does not change."""
    root = graph.sum(1) ** 0.5
    shares = graph / root[:, None] / root
    identity = torch.eye(len(graph), dtype=graph.dtype)
    return (1 - alpha) * torch.linalg.solve(identity - alpha * shares, told)


EXERCISE = Exercise(
    name="08-spreading",
    title="Where spreading ends",
    difficulty=3,
    minutes=20,
    parameters=("graph", "told", "alpha"),
    cases=cases,
    truth=truth,
    hints=(
        "At the end a round changes nothing. Write that as an equation for F.",
        "F = αSF + (1 − α)T, with S the graph divided by the roots of both degrees. Bring F to one "
        "side: a linear system.",
        "`root = graph.sum(1) ** -0.5`, `shares = root[:, None] * graph * root`, then `(1 - alpha) "
        "* torch.linalg.solve(torch.eye(len(graph), dtype=graph.dtype) - alpha * shares, told)`.",
    ),
    mistakes=(
        rows_normalized,
        columns_normalized,
        no_root,
        turned_around,
        one_round,
        labels_weighted_one,
    ),
    alternatives=(by_eigenvectors,),
    formulas=(by_hand,),
    right="A thousand rounds approach what one linear system gives at once.",
)
