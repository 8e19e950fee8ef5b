"""An IPython extension that writes down how every ``assert`` fares, and stops at none.

Each line of the file that ``WEATHER_LOG`` names is one evaluation: the assertion's source, whether
it held, and the margin of each of its parts: for ``a < b`` the number b - a, the least of them for
arrays; for `torch.allclose` and its kin the part of the tolerance that is left.
"""

import ast
import builtins
import json
import operator
import os

import numpy as np

OPERATORS = {"Lt": operator.lt, "LtE": operator.le, "Gt": operator.gt, "GtE": operator.ge}
OPERATORS |= {"Eq": operator.eq, "NotEq": operator.ne, "Is": operator.is_}
OPERATORS |= {"IsNot": operator.is_not}
OPERATORS |= {"In": lambda a, b: a in b, "NotIn": lambda a, b: a not in b}
CLOSE = {"torch.allclose": (1e-5, 1e-8), "np.allclose": (1e-5, 1e-8), "math.isclose": (1e-9, 0.0)}
WHOLE = {"all", "torch.all", "np.all", "bool"}  # their arguments must hold for them to hold


def numbers(value):
    """Return `value` as an array of float64."""
    value = value.detach().cpu() if hasattr(value, "detach") else value
    return np.asarray(value, dtype=float)


class Log:
    """What the rewritten assertions call."""

    def __init__(self, path):
        self.path, self.margins = path, {}

    def hold(self, text, value):
        """Write down that the assertion `text` came out as `value`."""
        line = {"assert": text, "held": bool(value), "margins": self.margins}
        self.margins = {}
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def compare(self, part, names, *values):
        """Compare as Python does and keep the margin of every comparison of this part."""
        result = True
        for number, (name, left, right) in enumerate(zip(names, values, values[1:], strict=False)):
            result = OPERATORS[name](left, right)
            self._compare(part + number, name, left, right)
            if len(names) > 1 and not result:
                return False
        return result

    def _compare(self, part, name, left, right):
        if name not in ("Lt", "LtE", "Gt", "GtE"):
            return
        try:
            gap = numbers(right) - numbers(left)
        except (TypeError, ValueError):
            return
        self._keep(part, gap if name.startswith("L") else -gap)

    def _keep(self, part, gaps):
        if gaps.size and not np.isnan(gaps).any():
            least = float(gaps.min())
            self.margins[part] = min(least, self.margins.get(part, least))

    def close(self, part, name, function, *values, **options):
        """Call `function` and keep how much of its tolerance is left, 1 where nothing was used."""
        result = function(*values, **options)
        rtol, atol = CLOSE[name]
        rtol = options.get("rtol", options.get("rel_tol", values[2] if len(values) > 2 else rtol))
        atol = options.get("atol", options.get("abs_tol", values[3] if len(values) > 3 else atol))
        left, right = numbers(values[0]), numbers(values[1])
        allowed = atol + rtol * np.abs(right)
        if left.size and (allowed > 0).all() and np.isfinite(left).all():
            self._keep(part, 1 - np.abs(left - right) / allowed)
        return result


class Recorder(ast.NodeTransformer):
    """Turn every ``assert`` into a call that writes down how it fared."""

    def visit_Assert(self, node):
        """Replace the statement; its parts that must all hold keep their margins."""
        text, self.parts = ast.unparse(node.test), 0
        call = self._call("hold", ast.Constant(text), self._part(node.test))
        return ast.copy_location(ast.Expr(call), node)

    def _call(self, method, *arguments, keywords=()):
        function = ast.Attribute(ast.Name("__weather__", ast.Load()), method, ast.Load())
        return ast.Call(function, list(arguments), list(keywords))

    def _next(self, count):
        """Number the parts of an assertion that have margins."""
        self.parts += count
        return ast.Constant(self.parts - count)

    def _part(self, node):
        if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And):
            return ast.BoolOp(node.op, [self._part(value) for value in node.values])
        if isinstance(node, ast.Compare):
            names = ast.Tuple([ast.Constant(type(o).__name__) for o in node.ops], ast.Load())
            return self._call(
                "compare", self._next(len(names.elts)), names, node.left, *node.comparators
            )
        if isinstance(node, ast.GeneratorExp | ast.ListComp):
            return type(node)(self._part(node.elt), node.generators)
        return self._of_call(node) if isinstance(node, ast.Call) else node

    def _of_call(self, node):
        name = ast.unparse(node.func)
        if name in CLOSE:
            given = self._next(1), ast.Constant(name), node.func, *node.args
            return self._call("close", *given, keywords=node.keywords)
        if name in WHOLE and len(node.args) == 1:
            return ast.Call(node.func, [self._part(node.args[0])], node.keywords)
        if isinstance(node.func, ast.Attribute) and node.func.attr == "all" and not node.args:
            whole = ast.Attribute(self._part(node.func.value), "all", ast.Load())
            return ast.Call(whole, [], node.keywords)
        return node


def load_ipython_extension(shell):
    """Rewrite the assertions of all cells from now on."""
    builtins.__weather__ = Log(os.environ["WEATHER_LOG"])
    shell.ast_transformers.append(Recorder())
