"""Firefox and WebKit, each started once, with Alice signed in."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.site.conftest import PASSWORD, BrowsedSite
from tests.site.others.driven import DrivenPage
from tests.site.others.firefox import firefox
from tests.site.others.webkit import webkit

LIBRARIES = Path("/usr/lib")
"""Folder where Debian puts WebKit's small browser, which is not on the PATH."""


def _started(name: str, folder: Path) -> AbstractContextManager[DrivenPage] | None:
    """Browser of a name; None where its programs are not installed."""
    if name == "firefox":
        found = shutil.which("firefox-esr") or shutil.which("firefox")
        return firefox(found, folder) if found else None
    screen, driver = shutil.which("Xvfb"), shutil.which("WebKitWebDriver")
    small = sorted(LIBRARIES.glob("*/webkit2gtk-*/MiniBrowser"))
    return webkit((screen, driver, small[-1]), folder) if screen and driver and small else None


GIVEN_UP = ("the server did not respond", "operation was aborted", "status=2152398850")
"""Errors told of requests which were under way when the page was left: by Dash, and by Firefox of a type
face (the number is its NS_BINDING_ABORTED)."""


@pytest.fixture(scope="module", params=["firefox", "webkit"])
def other(request: pytest.FixtureRequest, site: BrowsedSite) -> Iterator[DrivenPage]:
    """A page of the browser; the tests of one browser fail together where its console told an error."""
    folder = Path(tempfile.mkdtemp(prefix="vigilo-other-"))
    started = _started(request.param, folder)
    if started is None:
        shutil.rmtree(folder)
        packages = {"firefox": "firefox-esr", "webkit": "webkit2gtk-driver and xvfb"}
        pytest.skip(f"no {request.param}: make programs installs {packages[request.param]}")
    try:
        with started as page:
            page.address = site.address
            page.sign_in("alice", PASSWORD)
            yield page
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def _no_complaint(other: DrivenPage) -> Iterator[None]:
    """Fails a test during which the console told an error."""
    before = len(other.complaints)
    yield
    told = other.complaints[before:]
    assert [each for each in told if not any(words in each for words in GIVEN_UP)] == []
