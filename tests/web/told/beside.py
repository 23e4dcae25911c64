"""Sentences that a page tells beside the fields of its forms."""

from __future__ import annotations

import re
from html import unescape

CONTROL = re.compile(r"<(?:input|select|textarea)\b[^>]*\sautofocus\b[^>]*>")
NOTE = re.compile(r'<span class="s field-error" id="([^"]+)" role="alert">([^<]*)</span>')


def told_beside(page: str, field: str) -> str:
    """Sentence beside a field, which has the focus; nothing may be told elsewhere."""
    assert 'class="note x"' not in page
    (control,) = CONTROL.findall(page)
    (note,) = NOTE.findall(page)
    for attribute in (f'name="{field}"', 'aria-invalid="true"', f'aria-describedby="{note[0]}"'):
        assert attribute in control
    return unescape(note[1])
