"""Forms of pages, and their fields as the schema of a body."""

from __future__ import annotations

from typing import Any

from flask import request
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import Form, SelectField
from wtforms.validators import InputRequired, Length


class PageForm(FlaskForm):  # type: ignore[misc]
    """A form of a page. The gate has asked for its token already, whichever way it came."""

    class Meta:
        """WTForms's settings."""

        csrf = False

        def wrap_formdata(self, _form: Form, formdata: object) -> MultiDict[str, str] | None:
            """Fields of the request's form alone: Flask-WTF would take JSON of any shape, and files."""
            return request.form if formdata is not None and request.method == "POST" else None


def wrong_at(id: str, wrong: str) -> dict[str, object]:
    """Attributes of a control with a sentence on what is wrong with it; none where nothing is."""
    if not wrong:
        return {}
    return {"aria-invalid": "true", "aria-describedby": f"{id}-error", "autofocus": True}


def schema_of(form: type[Form]) -> dict[str, Any]:
    """JSON Schema of a form's fields."""
    fields = list(form(formdata=None))
    properties = {field.name: _field_schema(field) for field in fields}
    required = [f.name for f in fields if any(isinstance(v, InputRequired) for v in f.validators)]
    return {
        "type": "object",
        "properties": properties,
        **({"required": required} if required else {}),
    }


def _field_schema(field: Any) -> dict[str, Any]:
    """JSON schema of a form's field."""
    schema: dict[str, Any] = {"type": "string", "description": field.label.text}
    if isinstance(field, SelectField) and field.choices:
        schema["enum"] = [value for value, *_ in field.iter_choices()]
    for validator in field.validators:
        if isinstance(validator, Length) and validator.max > 0:
            schema["maxLength"] = validator.max
    return schema
