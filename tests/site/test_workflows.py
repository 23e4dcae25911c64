"""The four workflows of the product page, step by step, as a person does them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

from tests.deep import long

EXECUTIVE = "/ws/payments/platform/executive"


def executive(visit, query: str = "", **how) -> Page:
    page = visit("alice", EXECUTIVE + query, **how)
    expect(page.get_by_role("region", name="Delivery (DORA)", exact=True)).to_contain_text("%")
    return page


def test_spot_the_worst_performing_workspace_this_quarter(look):
    page = executive(look)
    page.get_by_role("combobox", name="Period").select_option("Last 90 days")
    expect(page).to_have_url(re.compile("period=90"))
    tile = page.get_by_role("region", name="Delivery (DORA)", exact=True)
    tile.get_by_role("button", name=re.compile("Change failure rate")).first.click()
    expansion = page.get_by_role("region", name="Delivery (DORA) by workspace")
    first = expansion.get_by_role("article").first
    expect(first.get_by_role("heading")).to_contain_text("Payments")
    box = [card.bounding_box() for card in expansion.get_by_role("article").all()]
    assert all(box[0]["y"] <= b["y"] for b in box)
    assert all(box[0]["x"] <= b["x"] for b in box)
    shown = first.inner_text()
    first.get_by_role("link", name="Payments", exact=True).click()
    expect(page).to_have_url(re.compile(r"/ws/payments/analytics\?period=90"))
    expect(page.get_by_role("combobox", name="Period")).to_have_value(re.compile("90"))
    rate = re.search(r"\d+\.\d %", shown)[0]
    expect(page.get_by_role("main")).to_contain_text(rate)
    records = page.get_by_role("region", name="Deployments")
    expect(records.get_by_role("row").nth(5)).to_contain_text("CHG-")
    page.go_back()
    expect(page).to_have_url(re.compile("domain=dora.*|.*period=90"))
    expect(page.get_by_role("region", name="Delivery (DORA) by workspace")).to_be_visible()


def test_board_ready_pdf_for_the_quarterly_review(look, tmp_path):
    page = executive(look, "?period=90")
    with page.expect_download(timeout=60_000) as started:
        page.get_by_role("button", name="Export PDF").click()
    assert re.fullmatch(r"vigilo-executive-\d{8}\.pdf", started.value.suggested_filename)
    path = tmp_path / "pack.pdf"
    started.value.save_as(path)
    text = subprocess.run(
        ["pdftotext", "-layout", str(path), "-"], capture_output=True, text=True, check=True
    ).stdout
    pages = text.split("\f")
    assert len(pages) >= 8
    assert all("alice@demo.example" in p for p in pages[:-1])
    headline = page.get_by_role("region", name="Delivery (DORA)", exact=True).inner_text()
    rate = re.search(r"\d+\.\d %", headline)[0]
    assert rate in pages[1]


def test_triage_certificates_across_the_org(look):
    page = executive(look)
    page.get_by_role("region", name="Certificates", exact=True).get_by_role(
        "button", name=re.compile("^Certificates")
    ).click()
    expansion = page.get_by_role("region", name="Certificates by workspace")
    for column in ("7 days", "30 days", "90 days"):
        expect(expansion.get_by_role("columnheader", name=re.compile(column)).first).to_be_visible()
    cell = expansion.locator("a[href*='within=7']").first
    expect(cell).to_have_attribute(
        "href", re.compile(r"/ws/[a-z0-9-]+/monitor/certs\?within=7&status=expiring")
    )
    colour = cell.evaluate("e => getComputedStyle(e.closest('td')).backgroundColor")
    assert colour == "rgb(158, 11, 58)"
    count = cell.inner_text()
    cell.click()
    expect(page).to_have_url(re.compile(r"/monitor/certs\?within=7&status=expiring"))
    shown = re.search(r"\d+", count)[0]
    records = page.get_by_role("region", name="Certificates", exact=True)
    expect(records).to_contain_text("expiring within 7 days")
    expect(records.get_by_role("status")).to_have_text(re.compile(rf"^{shown} records?$"))
    page.reload()
    expect(records.get_by_role("status")).to_have_text(re.compile(rf"^{shown} records?$"))
    records.get_by_role("button", name="Show all").click()
    expect(page).not_to_have_url(re.compile("within"))
    expect(records.get_by_role("status")).not_to_have_text(re.compile(rf"^{shown} records?$"))


def test_spot_a_compliance_control_that_is_about_to_fail(look):
    page = executive(look)
    page.get_by_role("region", name="Compliance", exact=True).get_by_role(
        "button", name=re.compile("^Compliance")
    ).click()
    expansion = page.get_by_role("region", name="Compliance by workspace")
    cards = expansion.get_by_role("article")
    for framework in ("SOC2", "ISO27001", "HIPAA"):
        expect(cards.filter(has_text=framework).first).to_be_visible()
    chevron = expansion.get_by_role("link", name=re.compile("▼")).first
    expect(chevron).to_contain_text(re.compile(r"▼ −\d+\.\d pts"))
    chevron.click()
    expect(page).to_have_url(re.compile(r"/ws/[a-z0-9-]+/governance/frameworks"))
    expect(page.get_by_role("region", name="Controls").get_by_role("row").nth(3)).to_be_visible()


def test_a_member_sees_their_workspace_and_no_executive_page(look):
    page = look("bob", "/start?choose=1")
    expect(page.get_by_role("heading", name="Your workspaces")).to_be_visible()
    assert "/platform/executive" not in page.content()
    page.get_by_role("link", name=re.compile("^Members of ")).first.click()
    expect(page.get_by_role("heading", name=re.compile("^Members of "))).to_be_visible()


def test_a_stranger_is_told_nothing(look):
    page = look("dave", "/ws/payments/analytics")
    expect(page.get_by_role("heading")).to_have_text("There is no such page")


@long("tests/site/test_invitation.py::test_whoever_has_an_account_is_led_through_the_sign_in")
def test_an_owner_invites_and_changes_and_revokes_a_member(look, site):
    page = look("bob", "/ws/payments/admin/members")
    expect(page.get_by_role("group", name="Members").get_by_role("row")).to_have_count(3)
    page.get_by_label("E-mail").fill("dave@demo.example")
    page.get_by_role("combobox", name="Role", exact=True).select_option("viewer")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("status")).to_contain_text("dave@demo.example is invited")
    expect(page.get_by_role("button", name="Withdraw the invitation")).to_be_visible()
    link = site.flask("member", "invite", "dave@demo.example", "payments", "viewer", "--link")
    dave = look("dave", urlsplit(link.stdout.split()[-1]).path)
    dave.get_by_role("button", name="Accept").click()
    expect(dave.get_by_role("heading", level=1)).to_contain_text("Payments")
    page.reload()
    page.get_by_label("Role of dave@demo.example").select_option("engineer")
    page.get_by_role("button", name="Change the role of dave@demo.example").click()
    expect(page.get_by_role("status")).to_have_text("dave@demo.example is now engineer.")
    page.get_by_role("link", name="Revoke dave@demo.example").click()
    page.get_by_role("button", name="Yes, revoke dave@demo.example").click()
    expect(page.get_by_role("status")).to_have_text("dave@demo.example is no longer a member.")
    dave.reload()
    expect(dave.get_by_role("heading", name="Sign in")).to_be_visible()  # their session has ended


@long("tests/site/test_page.py::test_the_address_says_what_is_seen_and_a_reload_keeps_it")
def test_back_and_reload_keep_the_view_of_a_workspace_page(look):
    page = look("alice", "/ws/payments/analytics?period=28")
    expect(page.get_by_role("region", name="Deployments").get_by_role("row").nth(3)).to_be_visible()
    figure = page.get_by_role("main").locator(".figure-value").first
    before = figure.inner_text()
    page.get_by_role("combobox", name="Period").select_option("Last 90 days")
    expect(page).to_have_url(re.compile("period=90"))
    expect(figure).not_to_have_text(before)
    ninety = figure.inner_text()
    page.reload()
    expect(page).to_have_url(re.compile("period=90"))
    expect(figure).to_have_text(ninety)
    page.goto("/start?choose=1")
    page.go_back()
    expect(page).to_have_url(re.compile("period=90"))
    expect(page.get_by_role("combobox", name="Period")).to_have_value(re.compile("90"))
    expect(figure).to_have_text(ninety)


def test_an_export_survives_a_reload_and_is_listed(look):
    page = executive(look, "?period=365")
    page.evaluate(
        """async () => {
            const cookie = document.cookie.split("; ").find((c) => c.startsWith("_csrf_token="));
            const answer = await fetch("/exports", { method: "POST", body: '{"period": "365"}',
                headers: { "Content-Type": "application/json", "Prefer": "respond-async",
                           "X-CSRFToken": decodeURIComponent(cookie.slice(12)) } });
            sessionStorage.setItem("vigilo-export", (await answer.json()).id);
        }"""
    )
    with page.expect_download(timeout=60_000) as started:  # as if the tab had been reloaded then
        page.reload()
    assert started.value.suggested_filename.endswith(".pdf")
    expect(page.get_by_role("button", name="Export PDF")).to_be_visible()
    page.get_by_role("link", name="Exports").click()
    row = page.get_by_role("row").nth(1)
    expect(row).to_contain_text("Ready")
    with page.expect_download() as again:
        row.get_by_role("link", name=re.compile("^Download")).click()
    assert again.value.suggested_filename.endswith(".pdf")


@long("tests/site/test_workflows.py::test_board_ready_pdf_for_the_quarterly_review")
def test_the_figures_in_another_format_from_the_page(look):
    page = executive(look, "?start=2026-11-01&end=2026-11-20")
    page.get_by_text("Other formats").locator("..").click()
    with page.expect_download(timeout=60_000) as started:
        page.get_by_role("button", name="Export CSV").click()
    assert started.value.suggested_filename.endswith(".csv")
    lines = Path(started.value.path()).read_text(encoding="utf-8-sig").splitlines()
    assert lines[1].endswith("2026-11-01,2026-11-20")
    expect(page.get_by_role("button", name="Export CSV")).to_be_hidden()
    expect(page.get_by_role("button", name="Export PDF")).to_be_visible()


def test_the_list_of_exports_follows_by_itself(look):
    page = look("alice", "/exports")
    before = page.get_by_role("link", name=re.compile("^Download")).count()
    page.get_by_role("button", name="Export", exact=True).click()
    expect(page.get_by_role("link", name=re.compile("^Download"))).to_have_count(before + 1)
    expect(page.get_by_role("row").nth(1)).to_contain_text("Ready")
    assert page.locator("[data-follow]").count() == 0
