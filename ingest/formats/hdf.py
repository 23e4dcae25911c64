"""MITRE Heimdall Data Format (JSON): each control of each profile, of the target that was looked at.

A control of impact 0 is not_applicable; one with a failed result non_compliant; one with an error or a
skipped result, or without results, not_assessed; else compliant. Assessed when its newest result began, a
control without a time of its own when the newest of the file did. An overlay and the profiles that it
depends on are one framework, by the overlay's name: the overlay says the impact, the base has the results.
The asset is the platform's ``target_id``, else its name, but for the name of a converter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ingest.documents import cell_text, json_document, value_at
from ingest.formats.form import Format
from ingest.formats.scans import Scan, list_at
from ingest.reader import FormatInput, RawRecord, UnreadableFile

CALLED = {"control": "id", "assessed_at": "start_time", "framework": "name", "asset": "target_id"}
NO_IMPACT = ("0", "0.0", "none")
CONVERTER = "heimdall"
"""How the platform is called where a converter made the file."""


class _Profile(NamedTuple):
    """A profile, its number in the file, and how many overlays lie over it."""

    number: int
    document: Any
    depth: int


def read(reading: FormatInput) -> Iterator[RawRecord]:
    """A control result for each control. Raises UnreadableFile."""
    document = json_document(reading)
    profiles = value_at(document, "profiles")
    if not isinstance(profiles, list):
        raise UnreadableFile(_no_profiles(document))
    scan = Scan(reading, CALLED)
    asset = _asset(document)
    for framework, family in _families(profiles):
        for control, pointer, result, started in _controls(family):
            scan.add(framework, control, asset, result, started, pointer)
    yield from scan.records()


def _no_profiles(document: Any) -> str:
    if isinstance(value_at(document, "controls"), list):
        return (
            "has no list of profiles: it is InSpec's json-min or a profile without results;"
            " export it with --reporter json"
        )
    return "has no list of profiles"


def _asset(document: Any) -> str:
    platform = value_at(document, "platform")
    name = cell_text(value_at(platform, "name"))
    return cell_text(value_at(platform, "target_id")) or ("" if CONVERTER in name.lower() else name)


def _families(profiles: Sequence[Any]) -> Iterator[tuple[str, list[_Profile]]]:
    """Profiles that lie over one another, outermost first, with the name of the outermost."""
    over = _overlays(profiles)
    families: dict[int, list[_Profile]] = {}
    for index, profile in enumerate(profiles):
        chain = [index]
        while (above := over.get(chain[-1])) is not None and above not in chain:
            chain.append(above)
        families.setdefault(chain[-1], []).append(_Profile(index, profile, len(chain)))
    for root, family in families.items():
        yield (
            cell_text(value_at(profiles[root], "name")),
            sorted(family, key=lambda p: (p.depth, p.number)),
        )


def _overlays(profiles: Sequence[Any]) -> dict[int, int]:
    """Index of each profile's overlay, of those that have one: as either of the two names the other."""
    indices: dict[str, int] = {}
    for index, profile in enumerate(profiles):
        indices.setdefault(cell_text(value_at(profile, "name")), index)
    over: dict[int, int] = {}
    for index, profile in enumerate(profiles):
        for dependence in list_at(profile, "depends"):
            below = indices.get(cell_text(value_at(dependence, "name")))
            if below is not None and below != index:
                over.setdefault(below, index)
    for index, profile in enumerate(profiles):
        above = indices.get(cell_text(value_at(profile, "parent_profile")))
        if above is not None and above != index:
            over[index] = above
    return over


def _controls(family: Sequence[_Profile]) -> Iterator[tuple[str, str, str, str]]:
    """Each control with its pointer, result and each instant of its results."""
    controls: dict[str, tuple[str, list[tuple[int, str]], list[Mapping[str, Any]]]] = {}
    for profile in family:
        for number, control in enumerate(list_at(profile.document, "controls")):
            pointer = f"/profiles/{profile.number}/controls/{number}"
            name = " ".join(cell_text(value_at(control, "id")).split())
            _, impacts, results = controls.setdefault(name, (pointer, [], []))
            if (impact := value_at(control, "impact")) is not None:
                impacts.append((profile.depth, cell_text(impact).lower()))
            results += [r for r in list_at(control, "results") if isinstance(r, dict)]
    for name, (pointer, impacts, results) in controls.items():
        result = _result(_has_impact(impacts), results)
        for started in {cell_text(r.get("start_time")) for r in results} or {""}:
            yield name, pointer, result, started


def _has_impact(impacts: Sequence[tuple[int, str]]) -> bool:
    """Whether a control has an impact, as the outermost profile that says one says; where that lists the
    control twice, by either."""
    outermost = min((depth for depth, _ in impacts), default=0)
    outermost_impacts = [impact for depth, impact in impacts if depth == outermost]
    return not outermost_impacts or any(impact not in NO_IMPACT for impact in outermost_impacts)


def _result(has_impact: bool, results: Sequence[Mapping[str, Any]]) -> str:
    states = {cell_text(r.get("status")).lower() for r in results}
    if not has_impact:
        return "not_applicable"
    if "failed" in states:
        return "non_compliant"
    return "compliant" if states == {"passed"} else "not_assessed"


def _looks_like_hdf(head: bytes) -> bool:
    """Whether a file begins as the format does, or as InSpec's other reports."""
    profiles = b'"profiles"' in head and any(
        name in head for name in (b'"platform"', b'"statistics"', b'"controls"')
    )
    minimal = b'"profile_id"' in head and b'"code_desc"' in head and b'"controls"' in head
    return profiles or minimal


FORMAT = Format(
    "hdf",
    {"control-results": read},
    "MITRE Heimdall Data Format (JSON)",
    sniff=_looks_like_hdf,
)
