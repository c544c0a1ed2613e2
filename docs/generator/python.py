"""The pages of the Python API: one for each module that programs import."""

import ast
from collections.abc import Iterator

from docs.generator import markdown, source

PACKAGES = ("service", "grid", "measurements")
"""Packages whose faces are documented; `lab` and `experiment` are used by their commands."""
FACES = (
    "grid.transport.client",
    "grid.transport.receiver",
    "grid.transport.server",
    "grid.transport.address",
    "grid.inspect.frame_sources",
    "measurements.history",
    "measurements.cases",
    "measurements.intervals",
    "measurements.results",
)
"""Modules without `__all__` that are documented too: all that they define in public."""

MOST_WITHOUT_INDEX = 8
"""A page of more names begins with a list of links to them."""

_ENUMS = ("Enum", "IntEnum", "StrEnum", "IntFlag", "Flag")


def pages() -> dict[str, str]:
    """Return file name -> content, relative to docs/reference."""
    faces = {
        module: source.face(module) or source.defined(module)
        for package in PACKAGES
        for module in source.modules(package)
        if source.face(module) or module in FACES
    }
    if unknown := set(FACES) - faces.keys():
        raise LookupError(f"FACES names modules that are gone: {', '.join(sorted(unknown))}")
    index = markdown.page(
        "Python API",
        "The modules that programs of your own import. What is not listed here may change "
        "from one version to the next. [examples/](../../examples/) has five first programs.",
        markdown.table(
            ("module", "what it is"),
            (
                (f"[`{module}`](python/{module}.md)", source.first_line(source.tree(module)))
                for module in faces
            ),
        ),
    )
    return {
        "python.md": index,
        **{f"python/{module}.md": _page(module, names) for module, names in faces.items()},
    }


def _page(module: str, names: list[str]) -> str:
    parts = []
    rows = []
    listed = []
    for name in sorted(names, key=str.lower):
        where, node = source.definition(module, name)
        if isinstance(node, ast.Assign | ast.AnnAssign) and not _is_alias(where, name):
            member = source.constant(where, name)
            rows.append((f"`{name}`", member.text))
        else:
            listed.append(f"[{name}]({markdown.anchor(name)})")
            parts.append("\n\n".join(filter(None, _described(where, name, node))))
    index = " · ".join(listed) if len(listed) > MOST_WITHOUT_INDEX else ""
    constants = "## Constants\n\n" + markdown.table(("name", "meaning"), rows) if rows else ""
    return markdown.page(
        f"`{module}`", source.docstring(source.tree(module)), index, *parts, constants
    )


def _is_alias(module: str, name: str) -> bool:
    """Tell a type's other name, such as a union, from a value."""
    return name != name.upper() and not source.constant(module, name).type


def _described(module: str, name: str, node: source.Definition | None) -> Iterator[str]:
    yield f"## {name}"
    if node is None:
        yield f"The module `{module}`: {source.first_line(source.tree(module))}"
    elif isinstance(node, ast.ClassDef):
        yield from _class(node)
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        yield f"```python\n{_prefix(node)}{source.signature(node)}\n```"
        yield source.docstring(node)
    else:
        member = source.constant(module, name)
        yield f"```python\n{name} = {member.default}\n```"
        yield member.text


def _class(node: ast.ClassDef) -> Iterator[str]:
    bases = [ast.unparse(base) for base in node.bases]
    public = [
        one
        for one in node.body
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) and not one.name.startswith("_")
    ]
    made = next((one for one in node.body if _is_constructor(one)), None)
    arguments = ""
    if isinstance(made, ast.FunctionDef):
        arguments = source.signature(made, method=True).partition(" -> ")[0]
        arguments = arguments.removeprefix("__init__")
    shown = f"({', '.join(bases)})" if bases and not arguments else arguments
    yield f"```python\nclass {node.name}{shown}\n```"
    yield source.docstring(node)
    enum = any(base.rpartition(".")[2] in _ENUMS for base in bases)
    yield markdown.table(
        ("value", "", "meaning") if enum else ("field", "type", "default", "meaning"),
        (
            (f"`{one.name}`", markdown.code(one.default), one.text)
            if enum
            else (f"`{one.name}`", markdown.code(one.type), markdown.code(one.default), one.text)
            for one in _fields(node)
        ),
    )
    yield markdown.table(
        ("method or property", "what it does"),
        ((f"`{_method(one)}`", source.first_line(one)) for one in public),
    )


def _fields(node: ast.ClassDef) -> Iterator[source.Member]:
    for one in source.members(node.body):
        if not one.name.startswith("_"):
            yield one
    # Attributes that the constructor documents.
    for method in node.body:
        if isinstance(method, ast.FunctionDef) and method.name == "__init__":
            yield from _attributes(method)


def _attributes(method: ast.FunctionDef) -> Iterator[source.Member]:
    for index, one in enumerate(method.body[:-1]):
        target = (
            one.targets[0]
            if isinstance(one, ast.Assign)
            else one.target
            if isinstance(one, ast.AnnAssign)
            else None
        )
        below = method.body[index + 1]
        if (
            isinstance(target, ast.Attribute)
            and not target.attr.startswith("_")
            and isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
            and isinstance(below.value.value, str)
        ):
            annotated = ast.unparse(one.annotation) if isinstance(one, ast.AnnAssign) else ""
            text = " ".join(below.value.value.split())
            yield source.Member(name=target.attr, type=annotated, default="", text=text)


def _method(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    if source.decorated(node, "property") or source.decorated(node, "cached_property"):
        return node.name + (f": {ast.unparse(node.returns)}" if node.returns else "")
    return _prefix(node) + source.signature(node, method=True)


def _prefix(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    return "async " if isinstance(node, ast.AsyncFunctionDef) else ""


def _is_constructor(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef) and node.name == "__init__"
