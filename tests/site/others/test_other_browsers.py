"""The four workflows of the product page in Firefox and in WebKit, each to its very end."""

from __future__ import annotations

import re
import subprocess

from tests.site.others.driven import DrivenPage

EXECUTIVE = "/ws/payments/platform/executive"


def executive(page: DrivenPage, query: str) -> None:
    """The page with its own figures, not those of its first answer."""
    page.open(EXECUTIVE + query)
    page.see("all('#page .tile').length === 6 && text(all('#page .tile')[0]).includes('%')")


def records(page: DrivenPage) -> int:
    """Records that the list of a workspace's page tells."""
    told = page.see("text(all('#records-count').find((e) => /\\d/.test(e.textContent)))")
    return int(re.search(r"\d+", told.replace(",", ""))[0])


def test_spot_the_worst_performing_workspace_this_quarter(other):
    executive(other, "?period=28")
    other.choose("document.querySelector('#period')", "Last 90 days")
    other.see("location.search.includes('period=90')")
    other.press("button('Change failure rate', 'Delivery (DORA)')")
    cards = "all('article', 'Delivery (DORA) by workspace')"
    first = other.see(f"{cards}.length > 3 && text({cards}[0])")
    assert "Payments" in first
    assert other.see(
        f"const y = {cards}.map((e) => e.getBoundingClientRect().y); return y[0] === Math.min(...y);"
    )
    other.press("link('Payments', 'Delivery (DORA) by workspace')")
    other.see("location.pathname === '/ws/payments/analytics' && /period=90/.test(location.search)")
    rate = re.search(r"\d+\.\d %", first)[0]
    other.see(f"text(document.querySelector('main')).includes('{rate}')")
    other.see("all('.ag-cell', 'Deployments').some((e) => /CHG-/.test(text(e)))")
    other.back()
    other.see("location.pathname.endsWith('/executive') && /period=90/.test(location.search)")
    other.see(f"{cards}.length > 3")


def test_board_ready_pdf_for_the_quarterly_review(other):
    executive(other, "?period=90")
    other.press("button('Export PDF')")
    path = other.downloaded(".pdf")
    assert re.fullmatch(r"vigilo-executive-\d{8}\.pdf", path.name)
    text = subprocess.run(
        ["pdftotext", "-layout", str(path), "-"], capture_output=True, text=True, check=True
    ).stdout
    pages = text.split("\f")
    assert len(pages) >= 8
    assert all("alice@demo.example" in page for page in pages[:-1])
    rate = re.search(r"\d+\.\d %", other.see("text(region('Delivery (DORA)'))"))[0]
    assert rate in pages[1]


def test_triage_certificates_across_the_org(other):
    executive(other, "?period=28")
    other.press("button('Certificates', 'Certificates')")
    cell = "all(\"a[href*='within=7']\", 'Certificates by workspace')[0]"
    said = other.see(f"text({cell})")
    colour = other.see(f"getComputedStyle({cell}.closest('td')).backgroundColor")
    assert colour == "rgb(158, 11, 58)"
    other.press(cell)
    other.see("location.pathname.endsWith('/monitor/certs') && /within=7/.test(location.search)")
    assert records(other) == int(re.search(r"\d+", said)[0])
    other.reload()
    assert records(other) == int(re.search(r"\d+", said)[0])
    other.see("text(region('Certificates')).includes('expiring within 7 days')")


def test_spot_a_compliance_control_that_is_about_to_fail(other):
    executive(other, "?period=28")
    other.press("button('Compliance', 'Compliance')")
    for framework in ("SOC2", "ISO27001", "HIPAA"):
        other.see(f"text(region('Compliance by workspace')).includes('{framework}')")
    chevron = other.see("text(all('.chevron', 'Compliance by workspace')[0])")
    assert re.search(r"▼ −\d+\.\d pts", chevron)
    other.press("all('.chevron', 'Compliance by workspace')[0]")
    other.see("location.pathname.endsWith('/governance/frameworks')")
    assert records(other) > 0
    other.see("all('[role=row]', 'Controls').length > 3")


def test_why_opens_over_the_page_and_escape_and_back_close_it(other):
    executive(other, "?period=28")
    other.press("button('Why')")
    other.see(
        "document.activeElement.matches('#drawer :is(h1, h2)') && all('#drawer tr').length > 1"
    )
    other.back()
    other.see("!all('#drawer').length && /executive$/.test(location.pathname)")
    other.press("button('Why')")
    other.see("all('#drawer').length")
    other.strike("\ue00c")
    other.see("!all('#drawer').length")


def test_nothing_is_wider_than_the_window(other):
    for domain, rows in (("dora", "article"), ("certificates", "tbody tr")):
        executive(other, f"?domain={domain}")
        other.see(f"all('.expansion {rows}').length > 3")
        other.see("document.documentElement.scrollWidth <= window.innerWidth")
