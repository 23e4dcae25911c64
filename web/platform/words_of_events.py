"""Events of the audit in words: for people who know the product, not its names for actions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from aggregators.catalogue import DOMAINS
from aggregators.chosen.annotations import ABOUT
from aggregators.chosen.known import WrongSettingValue, find_setting
from aggregators.signal.series import watched_series
from auth.membership import ORDER
from auth.membership import in_words as role_in_words
from storage.audit.seen import SeenEvent

KINDS: Mapping[str, str] = {
    "session": "Sign-in",
    "access": "Denial",
    "export": "Export",
    "mail": "Mail",
    "records": "Records download",
    "evidence": "Evidence",
    "member": "Membership",
    "invitation": "Invitation",
    "user": "Account",
    "token": "Token",
    "import": "Import",
    "mapping": "Mapping",
    "record": "Correction",
    "delivery": "Delivery",
    "quarantine": "Quarantine",
    "framework": "Framework",
    "sample": "Sample data",
    "source": "Source",
    "snapshot": "Snapshot",
    "signal": "Signal",
    "digest": "Digest",
    "setting": "Setting",
    "annotation": "Annotation",
    "audit": "Audit",
}
"""Kinds of events by the nouns of their actions."""
ACTIONS: Mapping[str, str] = {
    "session.begin": "Signed in",
    "session.refuse": "Sign-in refused",
    "session.end": "Session ended",
    "session.end_all": "Sessions ended",
    "access.deny": "Access denied",
    # Strangers and members who look for what never was are answered alike.
    "access.deny 404": "Answered that it is not there",
    "export.request": "Export asked for",
    "export.render": "Export made",
    "export.fail": "Export failed",
    "export.download": "Export downloaded",
    "export.mail": "Export mailed",
    "export.delete": "Export deleted",
    "export.cancel": "Export cancelled",
    "export.deny": "Download of an export denied",
    "export.comment": "Commentary on the pack written",
    "export.subscribe": "Scheduled pack set up",
    "export.unsubscribe": "Scheduled pack removed",
    "records.download": "Records downloaded",
    "records.read": "Records read by a program",
    "evidence.open": "Evidence opened",
    "member.grant": "Member added",
    "member.change": "Role changed",
    "member.revoke": "Member removed",
    "invitation.send": "Invited",
    "invitation.accept": "Invitation taken",
    "invitation.withdraw": "Invitation withdrawn",
    "token.create": "Token made",
    "token.revoke": "Token revoked",
    "import.file": "File imported",
    "import.retire": "Taken out by a complete list",
    "mapping.set": "Meaning set",
    "mapping.unset": "Meaning taken back",
    "record.correct": "Record corrected",
    "record.withdraw": "Record withdrawn",
    "record.restore": "Record taken back in",
    "record.merge": "Records merged",
    "record.part": "Records parted",
    "snapshot.request": "Snapshot asked for",
    "snapshot.take": "Snapshot taken by command",
    "setting.change": "Setting changed",
    "annotation.add": "Annotation made",
    "annotation.edit": "Annotation changed",
    "annotation.withdraw": "Annotation withdrawn",
    "signal.change": "Signal answered",
    "digest.create": "Digest set up",
    "digest.delete": "Digest removed",
    "digest.send": "Digest sent",
    "digest.fail": "Digest not sent",
    "sample.load": "Sample data loaded",
    "sample.remove": "Sample data removed",
    "source.create": "Source connected",
    "source.change": "Source changed",
    "source.rotate": "Source’s secret changed",
    "source.delete": "Source removed",
    "source.run": "Source synced by hand",
    "source.choose": "What counts as a deployment chosen",
    "source.turn": "Deployments counted anew as chosen",
    "source.map": "Source’s rules changed",
    "delivery.replay": "Delivery read again",
    "quarantine.drop": "Quarantined part dropped",
    "framework.seed": "Framework set up",
    "mail.sent": "Mail sent",
    "user.create": "Account made",
    "user.link": "Account linked to a provider",
    "user.unlink": "Account unlinked from providers",
    "user.password": "Password changed",
    "user.second_factor": "Second factor changed",
    "user.recovery_codes": "Recovery codes renewed",
    "user.activate": "Account activated",
    "user.deactivate": "Account deactivated",
    "audit.download": "Audit downloaded",
}
NUMBER = re.compile(r"[0-9]+|[0-9a-f]{8}-[0-9a-f-]{27}")
REFUSED = ("deny", "refuse", "fail")
NAMES: Mapping[str, str] = {
    **{key: title for key, title in ABOUT.items() if key},
    **{
        each.key: ABOUT[f"{each.domain.key}.{each.measure.key}"] for each in watched_series(DOMAINS)
    },
    **{role: role_in_words(role) for role in ORDER},
}
"""Words for our own names of domains, measures, series and roles."""
NAMED = ("domain", "domains", "series", "about", "page", "measure", "role", "before", "after")
"""Details that hold such a name."""
MOST = 6
"""Details that a line shows; the file has all of them."""
LONGEST = 80


@dataclass(frozen=True, slots=True)
class EventWords:
    """An event as the page tells it."""

    title: str
    subject: str
    """Empty where people do something with themselves."""
    details: str
    is_refusal: bool


def in_words(event: SeenEvent) -> EventWords:
    """Words of an event; an action that has none stands as it is written, split into its words."""
    noun, _, verb = event.action.partition(".")
    by_status = f"{event.action} {event.details.get('status')}"
    title = ACTIONS.get(by_status) or ACTIONS.get(event.action)
    title = title or f"{KINDS.get(noun, noun.capitalize())}: {_spaced(verb)}"
    pairs = [
        _spaced(name) if value is True else f"{_spaced(name)} {_value(_in_our_words(name, value))}"
        for name, value in event.details.items()
        if value
    ]
    rest = f" and {len(pairs) - MOST} more" if len(pairs) > MOST else ""
    return EventWords(title, _subject(noun, event), ", ".join(pairs[:MOST]) + rest, verb in REFUSED)


def _subject(noun: str, event: SeenEvent) -> str:
    """Words for the subject: a bare number or identifier is named by its kind."""
    subject = event.subject or ""
    if subject == event.actor:
        return ""
    if subject == "*":
        return "the organisation"
    if noun == "setting":
        return _setting(subject)
    if NUMBER.fullmatch(subject):
        return f"{KINDS.get(noun, noun).lower()} {subject[:8]}"
    return subject


def _setting(name: str) -> str:
    try:
        setting = find_setting(name)
    except WrongSettingValue:  # of an earlier program
        return name
    return f"{setting.domain.title}: {setting.title}" if setting.domain else setting.title


def _in_our_words(detail: str, value: object) -> object:
    """The value in words where it is one of our own names."""
    if detail not in NAMED:
        return value
    if isinstance(value, list):
        return [_in_our_words(detail, each) for each in value]
    return NAMES.get(value, value) if isinstance(value, str) else value


def _spaced(name: str) -> str:
    """A name of ours with spaces."""
    return name.replace("_", " ")


def _value(value: object) -> str:
    if isinstance(value, list):
        value = f"{len(value)} ({', '.join(map(str, value))})"
    words = str(value)
    return words if len(words) <= LONGEST else words[: LONGEST - 1] + "…"
