"""Evidence behind the figures of a page."""


def rate(page, name):
    """Numerator and denominator of a ratio."""
    e = page.figures[name].evidence
    return e.numerator, e.denominator
