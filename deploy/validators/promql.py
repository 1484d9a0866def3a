"""Reads PromQL: every metric is one of metrics.txt or recorded by a rule, and every label one that it has."""

import pathlib
import re

import promql_parser

# What Prometheus adds by itself.
TARGET = {"job", "instance", "namespace", "fleet"}


def known(root: pathlib.Path) -> dict[str, set[str]]:
    """Returns the names of metrics.txt, each with its labels. Where docs/metrics.md is, each must be in it."""
    metrics = {}
    for line in (pathlib.Path(__file__).parent / "metrics.txt").read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        name, *labels = line.split()
        if "histogram" in labels:
            labels = set(labels) - {"histogram"}
            metrics |= {f"{name}_bucket": labels | {"le"}, f"{name}_sum": labels, f"{name}_count": labels}
        else:
            metrics[name] = set(labels)
    documented = root / "docs/metrics.md"
    if documented.exists():
        words = set(re.findall(r"[a-z_]+", documented.read_text()))
        for name in metrics:
            name = re.sub(r"^(gitfleet_\w+_seconds)_(bucket|sum|count)$", r"\1", name)
            if name != "up" and name not in words:
                raise SystemExit(f"docs/metrics.md does not have {name}")
    return metrics


def problems(text: str, metrics: dict[str, set[str]]) -> list[str]:
    """Returns what is wrong with an expression."""
    try:
        tree = promql_parser.parse(text)
    except Exception as error:  # the parser has no type of its own for it
        return [f"{error}: {text}"]
    found, labels = [], set(TARGET)
    selectors, grouped = [], []
    collect(tree, selectors, grouped)
    for selector in selectors:
        if selector.name not in metrics:
            found.append(f"no metric is called {selector.name}: {text}")
            continue
        has = metrics[selector.name] | TARGET
        labels |= has
        for matcher in selector.matchers.matchers:
            if matcher.name not in has:
                found.append(f"{selector.name} has no label {matcher.name}: {text}")
    for label in grouped:
        if label not in labels:
            found.append(f"no metric in it has the label {label}: {text}")
    return found


def collect(node, selectors: list, grouped: list) -> None:
    """Walks a tree for its selectors and the labels it groups by."""
    if isinstance(node, promql_parser.VectorSelector):
        selectors.append(node)
    elif isinstance(node, promql_parser.MatrixSelector):
        selectors.append(node.vector_selector)
    elif isinstance(node, promql_parser.AggregateExpr):
        if node.modifier:
            grouped.extend(node.modifier.labels)
        collect(node.expr, selectors, grouped)
    elif isinstance(node, promql_parser.BinaryExpr):
        collect(node.lhs, selectors, grouped)
        collect(node.rhs, selectors, grouped)
    elif isinstance(node, promql_parser.Call):
        for argument in node.args:
            collect(argument, selectors, grouped)
    elif isinstance(node, (promql_parser.ParenExpr, promql_parser.UnaryExpr, promql_parser.SubqueryExpr)):
        collect(node.expr, selectors, grouped)
    elif not isinstance(node, (promql_parser.NumberLiteral, promql_parser.StringLiteral)):
        raise SystemExit(f"an expression of a kind that this check does not know: {type(node).__name__}")
