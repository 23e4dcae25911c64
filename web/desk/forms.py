"""Forms of the desk's pages."""

from __future__ import annotations

from collections.abc import Mapping

from wtforms import SelectField, StringField
from wtforms.validators import AnyOf, Length

from aggregators.records.kinds import RecordKind, field_title
from aggregators.vocabulary.fields import NAME
from ingest.desk import seen_words
from ingest.desk.corrections import LONGEST_CELL, LONGEST_KEY, correctable_fields
from web.forms import PageForm


class DeskForm(PageForm):
    """Something done on a workspace's desk: a part in quarantine read again or dropped, a word given a
    meaning, or its meaning taken back."""

    action = StringField(
        validators=[
            AnyOf(
                ("replay", "drop", "map", "unset"), "Choose what to do: replay, drop, map or unset."
            )
        ]
    )
    part = StringField("Part in quarantine", [Length(max=40)])
    about = StringField("About", [Length(max=40)])
    word = StringField("Word", [Length(max=200)])
    meaning = SelectField("Meaning", validate_choice=False)


class RecordForm(PageForm):
    """A correction of one record by hand."""

    action = StringField(
        validators=[
            AnyOf(
                ("correct", "merge", "part", "withdraw", "restore"),
                "Choose what to do: correct, merge, part, withdraw or restore.",
            )
        ]
    )
    field = SelectField("Field", validate_choice=False)
    value = StringField("Value; empty takes back what is known", [Length(max=LONGEST_CELL)])
    into = StringField("Key of the other one that it is part of", [Length(max=LONGEST_KEY)])


class NamingForm(PageForm):
    """A word's meaning that is any name."""

    meaning = StringField("Name", [Length(max=NAME)])


def meaning_form(about: str, meaning: str | None) -> DeskForm | NamingForm:
    """The form of one word, with the meanings that may be chosen; without any where every name may."""
    known = seen_words.choices()[about]
    if not known:
        return NamingForm(formdata=None, data={"meaning": meaning or ""})
    form = DeskForm(formdata=None, data={"about": about, "meaning": meaning or ""})
    form.meaning.choices = [*known]
    if not meaning:
        form.meaning.choices = [("", "unknown"), *form.meaning.choices]
    return form


def record_form(kind: RecordKind, typed: Mapping[str, str]) -> RecordForm:
    """The forms of one record, with the fields that may be corrected; ``typed`` is what was refused."""
    form = RecordForm(formdata=None, data=typed)
    form.field.choices = [(name, field_title(name)) for name in correctable_fields(kind)]
    return form
