"""What people get wrong in one expression of a formula."""

import ast
from collections.abc import Callable, Iterator

__all__ = ["changes", "rank"]

Change = tuple[str, str, ast.expr]
Shown = Callable[[ast.expr], str]

SWAPS = {
    "sum": ("mean",),
    "mean": ("sum",),
    "softmax": ("log_softmax",),
    "log_softmax": ("softmax",),
    "logsumexp": ("sum", "mean", "amax"),
    "std": ("var",),
    "var": ("std",),
    "min": ("max",),
    "max": ("min",),
    "amax": ("amin",),
    "amin": ("amax",),
    "argmax": ("argmin",),
    "argmin": ("argmax",),
    "log": ("log2", "log10", "log1p"),
    "log1p": ("log",),
    "exp": ("expm1", "sigmoid"),
    "expm1": ("exp",),
    "square": ("abs",),
    "asin": ("acos",),
    "acos": ("asin",),
    "cos": ("sin",),
    "sin": ("cos",),
    "prod": ("sum", "mean"),
    "sem": ("std",),
    "logdet": ("det",),
    "svdvals": ("eigvalsh",),
    "cumsum": ("cumprod",),
    "cumprod": ("cumsum",),
    "any": ("all",),
    "all": ("any",),
}
DROPPED = (
    *(
        "log",
        "exp",
        "sqrt",
        "square",
        "abs",
        "detach",
        "clamp",
        "cumsum",
        "log1p",
        "softmax",
        "neg",
    ),
    *("log_softmax", "sigmoid", "rad2deg", "acos", "asin", "sum", "mean", "logsumexp", "diagonal"),
    *("reciprocal", "expm1", "cumprod", "diag", "prod", "flip", "lgamma", "neg"),
)
WRAPPED = (
    ("square", "squared", "({}) ** 2"),
    ("root", "replaced by its square root", "({}) ** 0.5"),
    ("sign", "negated", "-({})"),
    ("factor", "doubled", "2 * ({})"),
    ("factor", "halved", "({}) / 2"),
    ("exponential", "replaced by its exponential", "({}).exp()"),
    ("logarithm", "replaced by its logarithm", "({}).log()"),
    ("absolute", "replaced by its absolute value", "({}).abs()"),
    ("mean", "replaced by its mean over the first axis", "({}).mean(0, keepdim=True)"),
    ("mean", "replaced by its mean over the last axis", "({}).mean(-1, keepdim=True)"),
    ("mean", "replaced by its mean over all entries", "({}).mean()"),
    ("detached", "detached", "({}).detach()"),
)
UNLIKELY = {"wrong-variable", "number", "operation", *(kind for kind, _, _ in WRAPPED)} - {"sign"}
REDUCTIONS = {"sum", "mean", "logsumexp", "softmax", "log_softmax", "cumsum", "std", "var"} | {
    *("amax", "amin", "argmax", "argmin", "prod", "norm", "flip", "max", "min", "cumprod"),
    *("argsort", "sort", "any", "all", "topk"),
}


def parsed(text: str) -> ast.expr:
    """Return an expression."""
    return ast.parse(text, mode="eval").body


def changes(node: ast.expr, parameters: tuple[str, ...], show: Shown) -> Iterator[Change]:
    """Yield wrong expressions for a right one, each with its kind and a clause about it."""
    if isinstance(node, ast.BinOp):
        yield from of_operations(node, show)
    if isinstance(node, ast.UnaryOp):
        yield from of_signs(node, show)
    if isinstance(node, ast.Call):
        yield from of_calls(node, show)
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "len":
        yield from of_counts(node)
    if isinstance(node, ast.Subscript) and ast.unparse(node.value).endswith(".shape"):
        yield from of_shapes(node)
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        yield from of_comparisons(node, show)
    if isinstance(node, ast.Attribute) and node.attr in ("T", "mT"):
        yield "transposed", f"`{show(node.value)}` is not transposed", node.value
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield from of_numbers(node)
    if isinstance(node, ast.Name):
        yield from of_names(node, parameters)
    if isinstance(node, ast.BinOp | ast.Call | ast.Name) and is_a_value(node, parameters):
        yield from of_wrapping(node, show)


def is_a_value(node: ast.expr, parameters: tuple[str, ...]) -> bool:
    """Tell whether an expression is a value of the formula, and no module."""
    names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    return not isinstance(node, ast.Name) or bool(names & set(parameters))


def of_operations(node: ast.BinOp, show: Shown) -> Iterator[Change]:
    """Leave a term or a factor out, or turn the operation around."""
    if isinstance(node.op, ast.Add | ast.Sub):
        yield from of_sums(node, show)
    elif isinstance(node.op, ast.Mult | ast.Div):
        yield from of_products(node, show)
    elif isinstance(node.op, ast.Pow | ast.MatMult):
        yield from of_powers(node, show)


def of_sums(node: ast.BinOp, show: Shown) -> Iterator[Change]:
    """Leave a term out, or turn a sign."""
    left, right = show(node.left), show(node.right)
    negative = ast.UnaryOp(ast.USub(), node.right)
    if isinstance(node.op, ast.Add):
        yield "missing-term", f"the term `{right}` is missing", node.left
        yield "missing-term", f"the term `{left}` is missing", node.right
        yield "sign", f"`{right}` is subtracted", ast.BinOp(node.left, ast.Sub(), node.right)
        turned = ast.BinOp(node.right, ast.Sub(), node.left)
        yield "sign", f"`{left}` is subtracted", turned
    else:
        yield "missing-term", f"the term `- {right}` is missing", node.left
        yield "missing-term", f"the term `{left}` is missing", negative
        yield "sign", f"`{right}` is added", ast.BinOp(node.left, ast.Add(), node.right)
        turned = ast.BinOp(node.right, ast.Sub(), node.left)
        yield "sign", f"`{show(node)}` has its sign turned around", turned


def of_products(node: ast.BinOp, show: Shown) -> Iterator[Change]:
    """Leave a factor out, or divide by it."""
    left, right = show(node.left), show(node.right)
    if isinstance(node.op, ast.Mult):
        yield "missing-factor", f"`{left}` is not multiplied by `{right}`", node.left
        half = f"the ½ before `{right}` is missing"
        plain = f"`{right}` is not multiplied by `{left}`"
        yield "missing-factor", half if left == "0.5" else plain, node.right
        turned = ast.BinOp(node.left, ast.Div(), node.right)
        yield "inverse", f"`{left}` is divided by `{right}` and not multiplied", turned
        turned = ast.BinOp(node.right, ast.Div(), node.left)
        yield "inverse", f"`{right}` is divided by `{left}` and not multiplied", turned
        yield "operation", f"`{left}` and `{right}` are added", swapped(node, ast.Add())
    else:
        yield "missing-divisor", f"`{left}` is not divided by `{right}`", node.left
        times = swapped(node, ast.Mult())
        yield "inverse", f"`{left}` is multiplied by `{right}` and not divided", times
        turned = ast.BinOp(node.right, ast.Div(), node.left)
        yield "inverse", f"`{show(node)}` is turned upside down", turned
        yield "operation", f"`{right}` is subtracted", swapped(node, ast.Sub())


def of_powers(node: ast.BinOp, show: Shown) -> Iterator[Change]:
    """Forget a power, or multiply matrices in another way."""
    left, right = show(node.left), show(node.right)
    if isinstance(node.op, ast.Pow):
        verb = {"2": "squared", "0.5": "rooted"}.get(right, f"raised to the power `{right}`")
        yield "power", f"`{left}` is not {verb}", node.left
        half = ast.BinOp(node.left, ast.Pow(), ast.BinOp(node.right, ast.Div(), parsed("2")))
        yield "power", f"`{show(node)}` is replaced by its square root", half
        size = parsed(f"abs({ast.unparse(node.left)})")
        yield "power", f"the absolute value of `{left}` stands in the place of the power", size
    else:
        yield (
            "order",
            f"`{left}` and `{right}` are multiplied entry by entry",
            (swapped(node, ast.Mult())),
        )
        turned = ast.BinOp(node.right, ast.MatMult(), node.left)
        yield "order", f"`{left}` and `{right}` are multiplied in the other order", turned
        for side in ("left", "right"):
            flipped = ast.BinOp(node.left, node.op, node.right)
            setattr(flipped, side, ast.Attribute(getattr(node, side), "T", ast.Load()))
            name = show(getattr(node, side))
            yield "transposed", f"`{name}` is transposed once too often or too little", flipped


def swapped(node: ast.BinOp, operation: ast.operator) -> ast.BinOp:
    """Return the same two things under another operation."""
    return ast.BinOp(node.left, operation, node.right)


def of_signs(node: ast.UnaryOp, show: Shown) -> Iterator[Change]:
    """Forget a minus, or a not."""
    if isinstance(node.op, ast.USub) and not isinstance(node.operand, ast.Constant):
        yield "sign", f"the minus before `{show(node.operand)}` is missing", node.operand
    if isinstance(node.op, ast.Invert | ast.Not):
        yield "negation", f"`{show(node.operand)}` stands for its opposite", node.operand


def operand(node: ast.Call) -> ast.expr | None:
    """Return what a method or a function of one thing is applied to."""
    function = node.func
    if not isinstance(function, ast.Attribute):
        return None
    if isinstance(function.value, ast.Name) and function.value.id in ("torch", "math", "np"):
        return node.args[0] if node.args else None
    if ast.unparse(function.value) in ("torch.linalg", "torch.special", "functional"):
        return node.args[0] if node.args else None
    return function.value


def of_calls(node: ast.Call, show: Shown) -> Iterator[Change]:
    """Leave a function out, put another one in its place, or take another axis."""
    function, inner = node.func, operand(node)
    if not isinstance(function, ast.Attribute) or inner is None:
        return
    if isinstance(inner, ast.Starred):
        return
    name, words = function.attr, show(inner)
    if name in DROPPED:
        yield f"missing-{name.replace('_', '-')}", f"`{name}` is not applied to `{words}`", inner
    for other in SWAPS.get(name, ()):
        call = ast.Call(ast.Attribute(function.value, other, ast.Load()), node.args, node.keywords)
        yield (
            f"{other.replace('_', '-')}-for-{name}",
            (f"`{other}` stands where `{name}` of `{words}` belongs"),
            call,
        )
    if name in ("std", "var", "cov") and not any(k.arg == "correction" for k in node.keywords):
        fewer = [*node.keywords, ast.keyword("correction", parsed("0"))]
        yield (
            "n-minus-one",
            "a sum of squares is divided by N and not by N − 1",
            (ast.Call(function, node.args, fewer)),
        )
    for keyword in node.keywords:
        if keyword.arg == "correction":
            rest = [k for k in node.keywords if k is not keyword]
            yield (
                "n-minus-one",
                "a sum of squares is divided by N − 1 and not by N",
                (ast.Call(function, node.args, rest)),
            )
    if name in REDUCTIONS:
        yield from of_axes(node, inner, name, words)


def of_axes(node: ast.Call, inner: ast.expr, name: str, words: str) -> Iterator[Change]:
    """Reduce over another axis, or over all of them."""
    function = node.func
    first = [inner] if node.args and node.args[0] is inner else []
    keep = [k for k in node.keywords if k.arg not in ("dim", "axis")]
    for axis in (0, 1, 2, -1):
        call = ast.Call(function, [*first, parsed(str(axis))], keep)
        if ast.unparse(call) != ast.unparse(node):
            yield "axis", f"`{name}` of `{words}` goes over another axis (axis {axis})", call
    if name in ("sum", "mean", "std", "var", "amax", "amin", "max", "min", "prod"):
        rest = [k for k in keep if k.arg != "keepdim"]
        call = ast.Call(function, first, rest)
        if ast.unparse(call) != ast.unparse(node):
            yield "axis", f"`{name}` of `{words}` goes over all axes at once", call


def of_comparisons(node: ast.Compare, show: Shown) -> Iterator[Change]:
    """Take < for <=, or the other way round."""
    other = {
        ast.Lt: (ast.LtE, ast.Gt),
        ast.LtE: (ast.Lt, ast.Gt),
        ast.Gt: (ast.GtE, ast.Lt),
        ast.GtE: (ast.Gt, ast.Lt),
        ast.Eq: (ast.NotEq,),
        ast.NotEq: (ast.Eq,),
    }
    for number, kind in enumerate(other.get(type(node.ops[0]), ())):
        words = "decides a tie the other way" if number == 0 and len(other) else "is turned around"
        yield (
            "comparison",
            f"`{show(node)}` {words}",
            (ast.Compare(node.left, [kind()], node.comparators)),
        )


def of_counts(node: ast.Call) -> Iterator[Change]:
    """Count something else than the rows."""
    name = ast.unparse(node.args[0])
    for form, words in (
        ("{}.shape[1]", "the length of the second axis of `{}` stands for its number of rows"),
        ("{}.shape[-1]", "the length of the last axis of `{}` stands for its number of rows"),
        ("{}.numel()", "the number of all entries of `{}` stands for its number of rows"),
        ("(len({}) - 1)", "one less than the number of rows of `{}` stands for that number"),
        ("(len({}) + 1)", "one more than the number of rows of `{}` stands for that number"),
        ("len({}) ** 0.5", "the root of the number of rows of `{}` stands for that number"),
        ("len({}) ** 2", "the square of the number of rows of `{}` stands for that number"),
        ("1", "the number of rows of `{}` does not come in"),
    ):
        yield "count", words.format(name), parsed(form.format(name))


def of_shapes(node: ast.Subscript) -> Iterator[Change]:
    """Take the length of another axis."""
    whole, old = ast.unparse(node.value), ast.unparse(node.slice)
    for axis in (0, 1, -1):
        if str(axis) != old:
            words = f"the length of axis {axis} stands where that of axis {old} belongs"
            yield "count", words, parsed(f"{whole}[{axis}]")


def rank(kind: str) -> int:
    """Say how likely a kind is, 0 first; the likelier of two that come to the same is told."""
    if kind in ("missing-term", "missing-factor", "missing-divisor", "sign", "power", "count"):
        return 0
    return 2 if kind in UNLIKELY else 1


def of_numbers(node: ast.Constant) -> Iterator[Change]:
    """Count one too many or too few, or double a number."""
    value = node.value
    for other in (value + 1, value - 1) if isinstance(value, int) else (2 * value, value / 2):
        yield "number", f"{other:g} stands where {value:g} belongs", ast.Constant(other)


def of_names(node: ast.Name, parameters: tuple[str, ...]) -> Iterator[Change]:
    """Take one parameter for another."""
    if node.id in parameters:
        for other in parameters:
            if other != node.id:
                yield (
                    "wrong-variable",
                    f"`{other}` stands where `{node.id}` belongs",
                    (ast.Name(other, ast.Load())),
                )


def of_wrapping(node: ast.expr, show: Shown) -> Iterator[Change]:
    """Do something to an expression that is not wanted."""
    text, words = ast.unparse(node), show(node)
    for kind, verb, form in WRAPPED:
        yield kind, f"`{words}` is {verb}", parsed(form.format(text))
