"""Icons, drawn as strokes on 16 by 16, in the colour of the text around them."""

from __future__ import annotations

from markupsafe import Markup

STROKES = {
    "grid": '<rect x="2.5" y="2.5" width="4.5" height="4.5" rx="1"/><rect x="9" y="2.5" width="4.5"'
    ' height="4.5" rx="1"/><rect x="2.5" y="9" width="4.5" height="4.5" rx="1"/><rect x="9" y="9"'
    ' width="4.5" height="4.5" rx="1"/>',
    "pulse": '<path d="M1.5 8.5h3l2-5 3 9 2-4h3"/>',
    "download": '<path d="M8 2.5v8M4.8 7.5 8 10.7l3.2-3.2M2.5 13.5h11"/>',
    "plug": '<path d="M5.5 2v3M10.5 2v3M4 5h8v2.5a4 4 0 0 1-8 0zM8 11.5V14"/>',
    "list": '<path d="M3 3.5h10M3 8h10M3 12.5h6"/>',
    "people": '<circle cx="6" cy="5.5" r="2.5"/><path d="M1.5 13.5c.4-2.6 2.2-4 4.5-4s4.1 1.4 4.5 4M10.5'
    ' 3.2a2.5 2.5 0 0 1 0 4.6M12.2 9.9c1.3.6 2.1 1.8 2.3 3.6"/>',
    "note": '<path d="M3 2.5h10v8l-3 3H3zM10 13.5v-3h3M5.5 5.5h5M5.5 8h3"/>',
    "gear": '<circle cx="8" cy="8" r="2.2"/><path d="M8 1.8v1.8M8 12.4v1.8M1.8 8h1.8M12.4 8h1.8M3.6 3.6l1.3'
    ' 1.3M11.1 11.1l1.3 1.3M12.4 3.6l-1.3 1.3M4.9 11.1l-1.3 1.3"/>',
    "help": '<circle cx="8" cy="8" r="6"/><path d="M6.2 6.3A1.8 1.8 0 1 1 8 8.4v.9M8 11.5v.1"/>',
    "find": '<circle cx="7" cy="7" r="4.5"/><path d="m10.5 10.5 3 3"/>',
    "menu": '<path d="M2.5 4.5h11M2.5 8h11M2.5 11.5h11"/>',
    "updown": '<path d="m5 6 3-3 3 3M5 10l3 3 3-3"/>',
    "down": '<path d="m4 6 4 4 4-4"/>',
    "up": '<path d="m4 10 4-4 4 4"/>',
    "left": '<path d="m10 4-4 4 4 4"/>',
    "right": '<path d="m6 4 4 4-4 4"/>',
    "close": '<path d="m4 4 8 8M12 4l-8 8"/>',
    "check": '<path d="m3 8.5 3.2 3.2L13 5"/>',
    "plus": '<path d="M8 3v10M3 8h10"/>',
    "chain": '<path d="M6.8 9.2a2.6 2.6 0 0 0 3.7 0l2.2-2.2a2.6 2.6 0 1 0-3.7-3.7l-.8.8M9.2 6.8a2.6 2.6 0 0'
    ' 0-3.7 0L3.3 9a2.6 2.6 0 1 0 3.7 3.7l.8-.8"/>',
    "flag": '<path d="M3.5 14V2.5h8l-1.6 3 1.6 3h-8"/>',
    "pin": '<path d="m9.5 2 4.5 4.5-2 .6-2.4 2.4-.4 3-5.7-5.7 3-.4L8.900 4z M6.300 9.700 2.500 13.500"/>',
    "clock": '<circle cx="8" cy="8" r="6"/><path d="M8 4.5V8l2.3 1.5"/>',
    "bell": '<path d="M4 11V7a4 4 0 0 1 8 0v4l1.200 1.500H2.800zM6.700 14.300h2.600"/>',
    "file": '<path d="M4 1.8h5l3 3v9.4H4zM9 1.8v3h3"/>',
    "warning": '<path d="M8 2.2 14.300 13.300H1.700zM8 6.500v3.200M8 11.600v.1"/>',
    "more": '<path d="M3.5 8h.01M8 8h.01M12.5 8h.01" stroke-width="2.4"/>',
    "leave": '<path d="M6.500 2.500h-4v11h4M7 8h7M11.200 5.200 14 8l-2.800 2.800"/>',
    "theme": '<circle cx="8" cy="8" r="5.800"/><path d="M8 2.200a5.800 5.800 0 0 1 0 11.600z"'
    ' fill="currentColor"/>',
}


def icon(name: str, class_name: str = "") -> Markup:
    """Drawing by its name; it says nothing, so the words stand beside it or in a label."""
    return Markup(  # noqa: S704 - constants
        f'<svg class="i {class_name}" viewBox="0 0 16 16" aria-hidden="true">{STROKES[name]}</svg>'
    )
