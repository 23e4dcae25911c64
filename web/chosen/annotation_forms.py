"""Form of an annotation."""

from __future__ import annotations

from wtforms import SelectField, StringField
from wtforms.validators import Length

from aggregators.chosen.annotations import ABOUT, LONGEST
from web.forms import PageForm


class AnnotationForm(PageForm):
    """A note on days, made, changed or withdrawn."""

    action = StringField("What to do: add, edit or withdraw", [Length(max=10)])
    id = StringField("Annotation; empty for a new one", [Length(max=40)])
    workspace = StringField("Workspace; empty for the organisation", [Length(max=40)])
    about = SelectField("About", choices=list(ABOUT.items()), validate_choice=False)
    first_day = StringField("First day", [Length(max=40)])
    last_day = StringField("Last day; empty for the first alone", [Length(max=40)])
    text = StringField("What happened", [Length(max=4 * LONGEST)])
