"""What the source of a Python module says of itself, read without importing it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
"""The top of the repository."""

Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | ast.Assign | ast.AnnAssign


@dataclass(frozen=True, kw_only=True)
class Member:
    """A field, a constant or an enumerator, with the docstring under it."""

    name: str
    type: str
    default: str
    text: str


def modules(package: str) -> Iterator[str]:
    """Yield the dotted names of all modules of a package, itself included, in order."""
    top = ROOT / package
    for path in sorted(top.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def file(module: str) -> Path:
    """Return the file of a module."""
    base = ROOT.joinpath(*module.split("."))
    return base / "__init__.py" if base.is_dir() else base.with_suffix(".py")


@cache
def tree(module: str) -> ast.Module:
    """Return the syntax tree of a module."""
    return ast.parse(file(module).read_text(encoding="utf-8"))


def face(module: str) -> list[str]:
    """Return the names in a module's `__all__`; empty where it has none."""
    for node in tree(module).body:
        if isinstance(node, ast.Assign) and _names(node) == ["__all__"]:
            found: list[str] = ast.literal_eval(node.value)
            return found
    return []


def defined(module: str) -> list[str]:
    """Return the public names that a module defines itself."""
    names: list[str] = []
    for node in tree(module).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names.append(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            names += _names(node)
    return [name for name in names if not name.startswith("_")]


def definition(module: str, name: str) -> tuple[str, Definition | None]:
    """Return where `name` of `module` is defined, and its definition; None for a module."""
    for node in tree(module).body:
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    return _imported(node.module, alias.name)
        elif isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            if node.name == name:
                return module, node
        elif isinstance(node, ast.Assign | ast.AnnAssign) and name in _names(node):
            return module, node
    raise LookupError(f"{module} has no {name}")


def constant(module: str, name: str) -> Member:
    """Return a constant with the docstring under it."""
    found = [member for member in members(tree(module).body) if member.name == name]
    return found[0]


def members(body: list[ast.stmt]) -> Iterator[Member]:
    """Yield the assignments of a class or module, each with the docstring under it."""
    for index, node in enumerate(body):
        if not isinstance(node, ast.Assign | ast.AnnAssign):
            continue
        below = body[index + 1] if index + 1 < len(body) else None
        for name in _names(node):
            yield Member(
                name=name,
                type=ast.unparse(node.annotation) if isinstance(node, ast.AnnAssign) else "",
                default=ast.unparse(node.value) if node.value else "",
                text=_text(below),
            )


def docstring(node: ast.AST) -> str:
    """Return the docstring of a module, class or function; empty where there is none."""
    documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    return (ast.get_docstring(node) or "") if isinstance(node, documented) else ""


def first_line(node: ast.AST) -> str:
    """Return the first paragraph of a docstring on one line."""
    return " ".join(docstring(node).partition("\n\n")[0].split())


def signature(node: ast.FunctionDef | ast.AsyncFunctionDef, *, method: bool = False) -> str:
    """Return a function's name, arguments and result as they are written."""
    text = ast.unparse(node.args)
    if method and not decorated(node, "staticmethod"):
        text = text.partition(", ")[2] if ", " in text else ""
    result = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"{node.name}({text}){result}"


def decorated(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, name: str) -> bool:
    """Tell whether a class or function has the decorator `name`."""
    return any(ast.unparse(one).partition("(")[0] == name for one in node.decorator_list)


def _imported(module: str, name: str) -> tuple[str, Definition | None]:
    below = f"{module}.{name}"
    if file(below).exists() and not (file(module).exists() and _defines(module, name)):
        return below, None
    return definition(module, name)


def _defines(module: str, name: str) -> bool:
    try:
        definition(module, name)
    except LookupError:
        return False
    return True


def _names(node: ast.Assign | ast.AnnAssign) -> list[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _text(node: ast.stmt | None) -> str:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        value = node.value.value
        return " ".join(value.split()) if isinstance(value, str) else ""
    return ""
