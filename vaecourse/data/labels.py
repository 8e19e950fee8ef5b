"""What is done to labels and pixels before training: label subsets, splits, binarization.

Binarization changes the data, hence every log-likelihood that is reported for them. A number of
nats means nothing without the name of the binarization, and numbers under different ones cannot
be compared.

- None: grey levels x in [0, 1] are kept. With a Bernoulli likelihood the quantity
  x log p + (1 - x) log(1 - p) is then a loss and no log-likelihood: it is the log of no density
  over [0, 1] (Loaiza-Ganem and Cunningham, 2019). Its bound cannot be set beside published
  values in nats.
- Dynamic (`dynamic_binarization`): every pixel is drawn anew from Bernoulli(x) each time an
  image is visited (Salakhutdinov and Murray, 2008; Burda, Grosse and Salakhutdinov, 2016). The
  draws augment the training set, so that values usually come out better than static ones.
- Static (`static_binarization`): every pixel is drawn once, and the drawn images are the data
  set. Log-likelihoods are exact statements about that draw. Published static values mostly use
  the one draw of Larochelle and Murray (2011), which is a file of its own. Values for another
  draw are of the same kind, but not for the same data.

For test values, dynamic and static alike score draws of the test images, never the grey levels.
"""

import torch
from torch.distributions import constraints

from vaecourse.checks import is_integer
from vaecourse.data.codes import as_labels
from vaecourse.data.support import check_inside


def dynamic_binarization(x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Draw every pixel from Bernoulli(x): 1 where x exceeds a fresh uniform number.

    Parameters
    ----------
    x : torch.Tensor, any shape, floating point
        Probabilities in [0, 1]. Pixels at 0 and 1 stay as they are.
    generator : torch.Generator
        The source of randomness, on the device of x.

    Returns
    -------
    torch.Tensor, shape of x
        Zeros and ones.

    Raises
    ------
    TypeError
        If x does not hold floating-point numbers.
    ValueError
        If x is on the CPU and runs out of [0, 1]; an accelerator would have to be waited for.

    References
    ----------
    Salakhutdinov and Murray, "On the quantitative analysis of deep belief networks", 2008.

    Examples
    --------
    >>> import torch
    >>> from vaecourse.data.labels import dynamic_binarization
    >>> generator = torch.Generator().manual_seed(0)
    >>> dynamic_binarization(torch.tensor([0.0, 0.0, 1.0, 1.0]), generator)
    tensor([0., 0., 1., 1.])
    >>> dynamic_binarization(torch.full((1000,), 0.5), generator).unique()
    tensor([0., 1.])
    """
    if not x.is_floating_point():
        raise TypeError(f"x must hold probabilities as floating-point numbers, got {x.dtype}")
    if x.device.type == "cpu" and x.numel():
        check_inside(x, constraints.unit_interval, "binarization")
    uniform = torch.rand(x.shape, generator=generator, device=x.device, dtype=x.dtype)
    return uniform.lt_(x)


dynamic_binarization.takes = constraints.unit_interval  # type: ignore[attr-defined]


def static_binarization(x: torch.Tensor, seed: int) -> torch.Tensor:
    """Draw every pixel from Bernoulli(x) once and for all: equal seeds give equal draws.

    Apply it to a whole split, not to batches, and with one seed per split.

    Parameters
    ----------
    x : torch.Tensor, any shape, floating point
        Probabilities in [0, 1].
    seed : int
        Which draw. The draw is made on the CPU, so that it is the same for every device.

    Returns
    -------
    torch.Tensor, shape and device of x
        Zeros and ones.
    """
    drawn = dynamic_binarization(x.cpu(), torch.Generator().manual_seed(seed))
    return drawn.to(x.device)


def label_subset(y: torch.Tensor, num: int, seed: int = 0, balanced: bool = True) -> torch.Tensor:
    """Keep ``num`` labels and hide the others as -1.

    Balanced, every class keeps ``num // C`` or one more. Else the classes keep labels nearly in
    proportion to their sizes (Webster's method), and all keep at least one where num allows it.
    With one seed a larger subset contains a smaller one, so that a curve over numbers of labels
    adds labels and never swaps them.

    Parameters
    ----------
    y : torch.Tensor or array-like, shape (N,)
        Labels, as `vaecourse.Batch.of` takes them; those that are -1 already stay so.
    num : int
        How many labels to keep.
    seed : int
        Which subset.
    balanced : bool
        Whether every class keeps as many labels, or as many as its size asks for.

    Returns
    -------
    torch.Tensor, shape (N,), int64
        A new tensor; y is unchanged.

    Raises
    ------
    ValueError
        If num is no whole number or negative, there are fewer labels, or a class has too few for a
        balanced subset.

    Examples
    --------
    Keep two labels of each of ten classes, and hide the others:

    >>> import torch
    >>> from vaecourse.data.labels import label_subset
    >>> y = torch.arange(10).repeat(50)
    >>> kept = label_subset(y, num=20)
    >>> kept.shape, int((kept == -1).sum())
    (torch.Size([500]), 480)
    >>> kept[kept >= 0].bincount()
    tensor([2, 2, 2, 2, 2, 2, 2, 2, 2, 2])
    """
    if not isinstance(y, torch.Tensor) or y.dtype != torch.int64:
        y = as_labels(y, len(y)).y
    if not is_integer(num):
        raise ValueError(f"num must be a whole number of labels, got {num!r}")
    classes, counts = torch.unique(y[y >= 0], return_counts=True)
    smallest = int(counts.min()) if len(counts) else 0
    most = len(counts) * smallest if balanced else int(counts.sum())
    if not 0 <= num <= most:
        kind = "balanced classes" if balanced else "the labels"
        raise ValueError(f"num must be from 0 to {most} for {kind} here, got {num}")
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(classes), generator=generator).tolist()
    shuffled = []
    for position in order:
        members = torch.nonzero(y == classes[position]).squeeze(1)
        shuffled.append(members[torch.randperm(len(members), generator=generator).to(y.device)])
    chosen = (_equal_shares if balanced else _shares_by_size)(shuffled, num)
    kept = torch.full_like(y, -1)
    kept[chosen] = y[chosen]
    return kept


def _equal_shares(shuffled: list[torch.Tensor], num: int) -> torch.Tensor:
    """Return the first members of every class, one more of the first ``num % C`` classes."""
    if not shuffled:
        return torch.zeros(0, dtype=torch.int64)
    share, more = divmod(num, len(shuffled))
    return torch.cat([members[: share + (rank < more)] for rank, members in enumerate(shuffled)])


def _shares_by_size(shuffled: list[torch.Tensor], num: int) -> torch.Tensor:
    """Return the first ``num`` of all members in an order whose beginnings are in proportion."""
    if not shuffled:
        return torch.zeros(0, dtype=torch.int64)
    places = []
    for members in shuffled:
        place = (torch.arange(len(members), dtype=torch.float64) + 0.5) / len(members)
        place[0] -= 1  # one of each class comes before the second of any
        places.append(place)
    first = torch.cat(places).argsort(stable=True)[:num]
    members = torch.cat(shuffled)
    return members[first.to(members.device)]


def stratified_split(y: torch.Tensor, num: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Split the positions 0..N-1 in two, with every class in proportion.

    The second part holds each class in proportion to its share of y, rounded by the method of
    largest remainders. Unlabeled examples (-1) count as a class of their own.

    Parameters
    ----------
    y : torch.Tensor, shape (N,), int64
    num : int
        Size of the second part, from 0 to N.
    seed : int
        Which split.

    Returns
    -------
    first, second : torch.Tensor, shapes (N - num,) and (num,), int64
        Positions in rising order.

    Raises
    ------
    ValueError
        If num is not from 0 to N.
    """
    if not 0 <= num <= len(y):
        raise ValueError(f"num must be from 0 to {len(y)}, the number of labels, got {num}")
    generator = torch.Generator().manual_seed(seed)
    classes, counts = torch.unique(y, return_counts=True)
    products = [num * count for count in counts.tolist()]
    shares = [product // len(y) for product in products]
    by_remainder = sorted(range(len(shares)), key=lambda i: -(products[i] % len(y)))
    for position in by_remainder[: num - sum(shares)]:
        shares[position] += 1
    chosen = torch.zeros(len(y), dtype=torch.bool, device=y.device)
    for label, share in zip(classes, shares, strict=True):
        members = torch.nonzero(y == label).squeeze(1)
        chosen[members[torch.randperm(len(members), generator=generator)[:share].to(y.device)]] = 1
    return torch.nonzero(~chosen).squeeze(1), torch.nonzero(chosen).squeeze(1)
