"""Sums over what the workspace page of the domain lists, against its figures."""


def adds_up(rows, page):
    """Fails unless the rows of a workspace's page add up to its figures."""
    if not page.figures["tier1_vendors"].has_data:
        assert rows == []
        return
    tier1 = [r for r in rows if r["counts"] == "yes"]
    assert page.figures["tier1_vendors"].value == len(tier1)
    out = [r for r in tier1 if r["review"] in ("overdue", "never reviewed")]
    assert page.figures["tier1_out_of_review"].value == len(out)
    never = sum(r["review"] == "never reviewed" for r in tier1)
    assert page.figures["never_reviewed"].value == never
    overdue = [r["days_overdue"] for r in tier1 if r["days_overdue"] is not None]
    assert page.figures["longest_overdue"].value == max(overdue, default=None)
