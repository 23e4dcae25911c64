"""States shown instead of figures, each with its words and the next step."""

from __future__ import annotations

from markupsafe import Markup

from aggregators import words
from aggregators.catalogue import DOMAINS
from aggregators.pooling.dashboard import Dashboard
from aggregators.vocabulary.period import DEFAULT_PRESET
from layouts.pieces.markup import html
from layouts.pieces.parts import data, link


def skeleton() -> Markup:
    """Facts, answers and tiles of the final size before the first figures."""
    return html.Div(
        [
            html.Div(className="sub skeleton-line"),
            html.Div(className="answers skeleton"),
            html.Div([html.Div(className="tile skeleton") for _ in DOMAINS], className="tiles"),
        ],
        className="skeletons",
        **{"aria-hidden": "true"},
    )


def message(title: str, text: object, *steps: Markup) -> Markup:
    """A state in the middle of the page."""
    return html.Div([html.H2(title), html.P(text), *steps], className="state card")


def no_scope(dashboard: Dashboard) -> Markup:
    """Memberships, but nothing that counts: the true cause, and each workspace with its own."""
    left_out = [
        html.Li(f"{name}: {words.REASONS.get(reason, reason)}")
        for reason, names in dashboard.scope.left_out.items()
        for name in names
    ]
    return html.Div(
        [
            html.H2("No workspaces in scope"),
            html.P(words.why_no_scope(dashboard.scope)),
            html.Ul(left_out) if left_out else None,
            link("Why workspaces can be missing", "/help/residency"),
        ],
        className="state card",
    )


def no_snapshot() -> Markup:
    """Nothing has been counted yet."""
    return message(
        "No snapshot yet",
        [
            "The page shows end-of-day snapshots, and none has been made, or the first are being made"
            " now: they show when all workspaces have theirs. An operator runs ",
            html.Code("flask --app app snapshot run"),
            " each night, and ",
            html.Code("flask --app app snapshot backfill --from … --to …"),
            " once for the history.",
        ],
        link("How the figures are made", "/help/figures"),
    )


def partial_notice(dashboard: Dashboard) -> Markup | None:
    """Some workspaces could not be read."""
    failed = dashboard.scope.unavailable
    if not failed:
        return None
    total = len(dashboard.scope.slugs)
    names = ", ".join(dashboard.scope.names[slug] for slug in failed)
    return html.Div(
        [
            html.Strong(f"{total - len(failed)} of {total} workspaces; {len(failed)} failed."),
            f" Their snapshots could not be read: {names}. ",
            html.Button("Retry", type="button", className="button quiet", **data(retry="1")),
        ],
        className="banner banner-watch",
        role="status",
    )


def invalid(reason: str) -> Markup:
    """A period that can not be; the reason begins with what of it is wrong."""
    return message(
        "That period can not be shown",
        f"The {reason}.",
        html.Button(
            f"Show the last {DEFAULT_PRESET} days",
            type="button",
            className="button",
            **data(preset=DEFAULT_PRESET),
        ),
    )


def unavailable() -> Markup:
    """The database does not answer."""
    return message(
        "The figures can not be reached",
        "The database does not answer. Nothing is lost; try again in a moment.",
        html.Button("Retry", type="button", className="button", **data(retry="1")),
    )


def forbidden() -> Markup:
    """The role went away while the page was open."""
    return message(
        "You can not see this page",
        "You are not a platform admin on any workspace, or access was recently removed. Ask an owner of a "
        "workspace to check Admin → Members (platform_admin_required).",
        link("Go to your workspaces", "/", "button"),
    )


def unknown() -> Markup:
    """No such page."""
    return message(
        "There is no such page", "The address leads nowhere.", link("Start", "/", "button")
    )
