"""Form of a setting that is changed."""

from __future__ import annotations

from wtforms import StringField
from wtforms.validators import Length

from web.forms import PageForm


class SettingForm(PageForm):
    """A setting with its new value, or none to take it back."""

    name = StringField("Setting", [Length(max=300)])
    workspace = StringField("Workspace; empty for the organisation", [Length(max=40)])
    group = StringField("One framework; empty for all", [Length(max=200)])
    value = StringField("Value", [Length(max=200)])
    watch = StringField("Watched beyond; empty for nowhere", [Length(max=200)])
    since = StringField("Holds from", [Length(max=40)])
    action = StringField("What to do: set or unset", [Length(max=10)])
    confirmed = StringField("Whether days are to be counted anew", [Length(max=10)])
