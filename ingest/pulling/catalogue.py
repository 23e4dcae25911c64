"""The kinds of sources: a module a kind in ``ingest.sources``, found by walking the folder."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from ingest import sources
from ingest.pulling.problems import SourceProblem
from ingest.pulling.shape import Source


@cache
def kinds() -> dict[str, Source]:
    """Every kind of source by its name, in the order of their titles."""
    modules = (
        import_module(f"{sources.__name__}.{m.name}") for m in iter_modules(sources.__path__)
    )
    declared = [vars(module).get("SOURCE") for module in modules]
    made = [source for source in declared if isinstance(source, Source)]
    return {source.kind: source for source in sorted(made, key=lambda s: s.title.lower())}


def kind_of(name: str) -> Source:
    """The kind of that name. Raises SourceProblem."""
    if name not in kinds():
        raise SourceProblem("setting", f"There is no source {name[:40]!r}: {', '.join(kinds())}.")
    return kinds()[name]
