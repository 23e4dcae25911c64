"""A look ahead at the source that somebody is about to connect, with their rights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ingest.pulling.ahead.preview import PreviewTarget, SourcePreview, preview
from ingest.pulling.runner import SourceContext
from ingest.pulling.store import NewSource
from web.platform.sources.rights import SourceRights


def look_ahead(
    context: SourceContext,
    rights: SourceRights,
    new: NewSource,
    rules: Sequence[tuple[str, int]],
    choices: Mapping[str, str] | None = None,
) -> SourcePreview:
    """Reads what the source would bring, and keeps nothing. Raises SourceProblem."""
    slugs = {m.workspace_id: m.slug for m in rights.managed}
    target = PreviewTarget(
        slugs.get(new.home_workspace or 0, ""),
        [(pattern, slugs[id]) for pattern, id in rules if id in slugs],
        min(slugs.values(), default=""),
        choices or {},
    )
    return preview(context, new.kind, new.config, new.secret, target, new.history_days)
