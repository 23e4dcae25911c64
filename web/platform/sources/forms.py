"""Forms of the sources' pages, as the frame takes them."""

from __future__ import annotations

from collections.abc import Mapping

from wtforms import StringField
from wtforms.validators import Length

from ingest.pulling import store
from ingest.pulling.choice.counts import check_choice
from ingest.pulling.problems import SourceProblem
from ingest.pulling.shape import Source
from ingest.pulling.store import NewSource
from storage.sources.tables import HISTORY_DAYS
from web.forms import PageForm
from web.platform.sources.rights import SourceRights

SETTING, CHOICE = "setting-", "choice-"
"""Beginnings of the names of the fields that are a kind's own settings, and of those that say what a part's
deployments are."""


class SourceForm(PageForm):
    """A source to be connected; the settings of its kind stand beside, each under its name."""

    kind = StringField("Kind", [Length(max=40)])
    name = StringField("Name", [Length(max=store.LONGEST_NAME)])
    workspace = StringField("Workspace; empty for the organisation's", [Length(max=40)])
    secret = StringField("Secret", [Length(max=store.LONGEST_SECRET)])
    minutes = StringField("Syncs every so many minutes", [Length(max=6)])
    days = StringField("Days of history", [Length(max=6)])
    rules = StringField("Patterns, one PATTERN = WORKSPACE a line", [Length(max=8000)])
    action = StringField("What to do: test, preview or connect", [Length(max=20)])


class SourceAction(PageForm):
    """Something done with a source: sync, again, pause, resume, secret, preview, rules, map, choose, save,
    or remove."""

    action = StringField("What to do", [Length(max=20)])
    from_day = StringField("Day from which everything is read once more", [Length(max=10)])
    secret = StringField("New secret", [Length(max=store.LONGEST_SECRET)])
    rules = StringField("Patterns, one PATTERN = WORKSPACE a line", [Length(max=8000)])
    scope = StringField("Part that is mapped, or chosen for", [Length(max=store.LONGEST_PATTERN)])
    choice = StringField("What a deployment of the part is", [Length(max=40)])
    workspace = StringField("Workspace that it feeds; empty leaves it out", [Length(max=40)])


OF_SECRET = ("token_invalid", "token_expires", "scope_missing", "sso_required")
OF_ADDRESS = ("blocked_address", "unreachable", "tls_untrusted", "moved_elsewhere")
"""Codes of problems that a sender's answer, or its silence, tells of the secret and of the address."""


def field_of(problem: SourceProblem, kind: Source) -> str:
    """Name of the form's field that a problem is about; empty where it is about none of them."""
    if problem.field:
        return problem.field.replace("settings.", SETTING)
    if problem.code in OF_SECRET and kind.credential:
        return "secret"
    addresses = [s.name for s in kind.settings if s.form == "address"]
    return SETTING + addresses[0] if problem.code in OF_ADDRESS and addresses else ""


def number(typed: str, otherwise: int, label: str, field: str) -> int:
    """A whole number. Raises SourceProblem."""
    if not typed.strip():
        return otherwise
    if not typed.strip().isdecimal():
        raise SourceProblem("setting", f"{label} takes a whole number.", field)
    return int(typed)


def settings_in(form: Mapping[str, str], kind: Source) -> dict[str, str]:
    """The kind's own settings of a form."""
    return {s.name: form.get(SETTING + s.name, s.default) for s in kind.settings}


def choices_in(form: Mapping[str, str], kind: Source) -> dict[str, str]:
    """Choices of a form: what the deployments of parts are to be, by their ids. Raises SourceProblem."""
    given = {
        name.removeprefix(CHOICE): value for name, value in form.items() if name.startswith(CHOICE)
    }
    return {id: check_choice(kind.choices, value) for id, value in given.items() if value}


def new_source(form: Mapping[str, str], kind: Source, rights: SourceRights) -> NewSource:
    """The source that a form asks for. Raises SourceProblem, Problem 403."""
    slug = form.get("workspace", "")
    if not slug and not rights.is_everywhere:
        raise SourceProblem("setting", "Choose the workspace that it feeds.", "workspace")
    return NewSource(
        kind.kind,
        form.get("name", "").strip() or kind.title,
        settings_in(form, kind),
        form.get("secret", "").strip(),
        rights.managed_id(slug) if slug else None,
        number(form.get("minutes", ""), kind.minutes, "How often it syncs", "minutes"),
        number(form.get("days", ""), HISTORY_DAYS, "History", "days"),
    )


def rules_in(typed: str, rights: SourceRights) -> list[tuple[str, int]]:
    """Patterns with the ids of their workspaces. Raises SourceProblem naming the line, Problem 403."""
    rules = []
    for line_number, line in enumerate(typed.splitlines(), 1):
        if not line.strip():
            continue
        pattern, sign, slug = (part.strip() for part in line.rpartition("="))
        if not sign or not pattern or not slug:
            told_so = f"Line {line_number} is not PATTERN = WORKSPACE."
            raise SourceProblem("setting", told_so, "rules")
        known = {m.slug: m.workspace_id for m in rights.managed}
        if slug not in known:
            told_so = f"Line {line_number}: you manage no workspace {slug}."
            raise SourceProblem("setting", told_so, "rules")
        rules.append((pattern, known[slug]))
    return rules
