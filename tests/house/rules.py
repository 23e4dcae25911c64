"""House rules that linters do not know, as functions from the modules to what breaks them.

Each yields entries such as ``storage/roles.py::grant``: they stay true when lines move.
"""

from __future__ import annotations

import ast
import builtins
import gc
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
LONGEST_MODULE = 400
LONGEST_FUNCTION = 40
FULLEST_FOLDER = 12
TOOLS = {"tests", "benchmarks", "docs"}
NOT_OURS = {".venv", "var", "node_modules", ".git"}
OF_ONE_SHAPE = {
    "ingest/formats",
    "storage/migrations/versions",
    "tests/ingest/formats",
}
"""Folders of one file a format, source or step: they may hold any number."""

DANGLING = re.compile(
    r"(?:That|Those|This|These|What|Which|Who|Whose|Whom|One|The same|As it|It|Its|They|Their|He|She)\b"
)
RIDDLES = {"found", "said", "held", "asked", "place", "told"}
"""Names that hold anything: a reader must look up where they were filled."""

PUBLIC_UNDERSCORES = {"_replace", "_asdict", "_fields", "_make", "_mapping", "_exit"}
"""Documented names of named tuples, of SQLAlchemy's rows and of os."""


@dataclass(frozen=True)
class Module:
    """A Python file of the project."""

    path: str
    source: str

    @cached_property
    def tree(self) -> ast.Module:
        """Syntax tree of the module; read again where another thread, which printed a traceback at that
        moment, upset the interpreter's count of its own depth (github.com/python/cpython/issues/106905)."""
        for _ in range(5):
            with suppress(SystemError):
                return ast.parse(self.source)
        return ast.parse(self.source)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """Every node of the tree: listed once, as each rule looks through all of them."""
        return list(ast.walk(self.tree))

    @property
    def folder(self) -> str:
        """The folder that holds it, from the root."""
        return self.path.rpartition("/")[0]

    @property
    def is_test(self) -> bool:
        """Whether it belongs to the tests."""
        return self.path.startswith("tests/")

    @cached_property
    def definitions(self) -> list[tuple[str, ast.AST]]:
        """Classes and functions with their dotted names."""
        return list(_definitions(self.tree, ""))


Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
Rule = Callable[[list[Module]], Iterator[str]]


@contextmanager
def without_collecting() -> Iterator[None]:
    """Collects no garbage meanwhile: none of two million nodes is any, and looking took half the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def modules() -> list[Module]:
    """Every module of the project."""
    files = sorted(
        file
        for file in ROOT.rglob("*.py")
        if not NOT_OURS.intersection(file.relative_to(ROOT).parts)
    )
    return [
        Module(file.relative_to(ROOT).as_posix(), file.read_text(encoding="utf-8"))
        for file in files
    ]


def _definitions(node: ast.AST, prefix: str) -> Iterator[tuple[str, ast.AST]]:
    """Definitions below a node; expressions are passed over, as none can stand in them."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Definition):
            yield prefix + child.name, child
            yield from _definitions(child, f"{prefix}{child.name}.")
        elif not isinstance(child, ast.expr):
            yield from _definitions(child, prefix)


def dangling_docstrings(house: list[Module]) -> Iterator[str]:
    """Docstrings that begin with a pronoun, so that they need the text of a caller."""
    for module in house:
        for name, text in _docstrings(module.tree, "module"):
            if DANGLING.match(text.lstrip()):
                yield f"{module.path}::{name}"


RAISES = re.compile(r"\b[Rr]aises? ([A-Z]\w+(?:(?:,| or|, or| and) [A-Z]\w+)*)")


def raised_names_of_nothing(house: list[Module]) -> Iterator[str]:
    """Exceptions that a docstring says are raised, of which there is no class any more."""
    known = {*dir(builtins)}
    for module in house:
        known |= {n.name for n in module.nodes if isinstance(n, ast.ClassDef | ast.alias)}
        known |= {n.attr for n in module.nodes if isinstance(n, ast.Attribute)}
    for module in house:
        for name, text in _docstrings(module.tree, "module"):
            for named in RAISES.finditer(" ".join(text.split())):
                if set(re.findall(r"[A-Z]\w+", named[1])) - known:
                    yield f"{module.path}::{name}"


def _docstrings(node: ast.AST, name: str) -> Iterator[tuple[str, str]]:
    """Texts of modules, classes and functions, and those below a constant or a field."""
    body = getattr(node, "body", [])
    before = name
    for statement in body if isinstance(body, list) else []:
        value = statement.value if isinstance(statement, ast.Expr) else None
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield before, value.value
        elif isinstance(statement, ast.Assign | ast.AnnAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            before = f"{name}.{ast.unparse(targets[0])}".removeprefix("module.")
        elif isinstance(statement, Definition):
            yield from _docstrings(statement, f"{name}.{statement.name}".removeprefix("module."))


def classes_of_one_name(house: list[Module]) -> Iterator[str]:
    """Class names that stand in more than one module."""
    where = defaultdict(list)
    for module in house:
        for name, node in module.definitions:
            if isinstance(node, ast.ClassDef):
                where[node.name].append(f"{module.path}::{name}")
    for entries in where.values():
        if len(entries) > 1:
            yield from entries


def long_modules(house: list[Module]) -> Iterator[str]:
    """Modules of more than 400 lines."""
    for module in house:
        if module.folder not in OF_ONE_SHAPE and module.source.count("\n") > LONGEST_MODULE:
            yield module.path


def long_functions(house: list[Module]) -> Iterator[str]:
    """Functions of more than 40 lines, decorators and docstring included."""
    for module in house:
        if module.folder in OF_ONE_SHAPE:
            continue
        for name, node in module.definitions:
            if not isinstance(node, ast.ClassDef):
                first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
                if node.end_lineno - first + 1 > LONGEST_FUNCTION:
                    yield f"{module.path}::{name}"


def full_folders(house: list[Module]) -> Iterator[str]:
    """Folders of more than 12 modules."""
    counted = Counter(m.folder for m in house if not m.path.endswith("__init__.py"))
    for folder, count in counted.items():
        if count > FULLEST_FOLDER and folder not in OF_ONE_SHAPE:
            yield folder


def private_names_in_tests(house: list[Module]) -> Iterator[str]:
    """Private names of another module that a test reaches for."""
    for module in house:
        if not module.is_test:
            continue
        for node in module.nodes:
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    if _is_private(alias.name):
                        yield f"{module.path}::{alias.name}"
            elif isinstance(node, ast.Attribute) and _is_private(node.attr):
                owner = node.value
                if not (isinstance(owner, ast.Name) and owner.id in ("self", "cls")):
                    yield f"{module.path}::{ast.unparse(node)}"
            elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("setattr"):
                for argument in node.args:
                    if isinstance(argument, ast.Constant) and _is_private(str(argument.value)):
                        yield f"{module.path}::{argument.value}"


def _is_private(name: str) -> bool:
    last = name.rpartition(".")[2]
    return bool(re.match(r"_[a-zA-Z]", last)) and last not in PUBLIC_UNDERSCORES


MODULES_IN_ORDER = {
    "vigilo": 3,
    "app": 2,
    "mounting": 1,
    "environment": 1,
    "settings": -1,
    "addresses": -2,
    "instants": -2,
}
"""Modules of the root, above the packages or below them: the higher imports the lower."""


def upward_imports(house: list[Module]) -> Iterator[str]:
    """Imports that import-linter cannot see: its roots are packages, and these are modules.

    ``vigilo``, ``app`` and ``mounting`` stand above every package, ``settings`` and ``addresses`` below;
    tests and tools stand above all.
    """
    for module in house:
        top = module.path.split("/")[0].removesuffix(".py")
        if top in TOOLS:
            continue
        level = MODULES_IN_ORDER.get(top, 0)
        for name in _imported(module.nodes):
            other = name.split(".")[0]
            known = other in TOOLS or other in MODULES_IN_ORDER or (ROOT / other).is_dir()
            if known and other != top and _level(other) > level:
                yield f"{module.path}::{name}"


def _level(name: str) -> int:
    return 4 if name in TOOLS else MODULES_IN_ORDER.get(name, 0)


def _imported(nodes: list[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def riddles(house: list[Module]) -> Iterator[str]:
    """Modules of the program with a local name that says nothing of what it holds. A field of a class is
    no local name: it is read behind the name of what has it."""
    for module in house:
        if module.is_test:
            continue
        fields = {f for n in module.nodes if isinstance(n, ast.ClassDef) for f in _fields(n)}
        names = [n for n in module.nodes if _is_stored(n)]
        stored = {n.id for n in names if n not in fields}
        stored |= {n.arg for n in module.nodes if isinstance(n, ast.arg)}
        yield from (f"{module.path}::{name}" for name in sorted(stored & RIDDLES))


def _fields(node: ast.ClassDef) -> Iterator[ast.AST]:
    yield from (s.target for s in node.body if isinstance(s, ast.AnnAssign))


def _is_stored(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


RULES: dict[str, Rule] = {
    rule.__name__.replace("_", "-"): rule
    for rule in (
        dangling_docstrings,
        raised_names_of_nothing,
        classes_of_one_name,
        long_modules,
        long_functions,
        full_folders,
        private_names_in_tests,
        upward_imports,
        riddles,
    )
}
