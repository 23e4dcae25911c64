"""Addresses that people give: nothing leads to this server, to link-local addresses or to private ones."""

from __future__ import annotations

import ipaddress
import json
import re

import pytest

from ingest.pulling.guard import AddressGuard, plain_address
from ingest.pulling.problems import SourceProblem

PUBLIC = AddressGuard.of([])


def to(*addresses: str) -> AddressGuard:
    return AddressGuard(resolve=lambda _host, _port: list(addresses))


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0177.0.0.1/",
        "http://localhost:8080/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[64:ff9b:1::7f00:1]/",
        "http://[64:ff9b:1::a00:1]/",
        "http://[::ffff:0:7f00:1]/",
        "http://[fec0::1]/",
        "http://168.63.129.16/",
        "http://192.0.0.192/",
        "http://[::ffff:a83f:8110]/",
        "http://[2002:7f00:1::]/",
        "http://[::127.0.0.1]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[fe80::1]/",
        "http://[fd00:ec2::254]/",
        "http://0.0.0.0/",
        "http://224.0.0.1/",
        "http://10.0.0.1/",
        "http://192.168.1.1/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "http://user:secret@93.184.216.34/",
        "http://93.184.216.34:22/",
        "http://93.184.216.34:99999/",
        "http:///nowhere",
    ],
)
def test_refused(url):
    with pytest.raises(SourceProblem) as problem:
        PUBLIC.target(url)
    assert problem.value.code == "blocked_address"


def test_every_address_of_a_name_counts():
    with pytest.raises(SourceProblem):
        to("93.184.216.34", "127.0.0.1").target("https://rebind.example/")
    assert to("93.184.216.34").target("https://good.example/").ip == "93.184.216.34"


def test_what_the_operator_allows():
    inside = AddressGuard.of(["10.1.0.0/16", "*.corp.example"])
    assert inside.target("http://10.1.2.3:9090/").port == 9090
    with pytest.raises(SourceProblem):
        inside.target("http://10.2.0.1/")
    named = AddressGuard((), ("*.corp.example",), (), lambda _h, _p: ["10.9.9.9"])
    assert named.target("https://gitlab.corp.example/").ip == "10.9.9.9"
    metadata = AddressGuard((), ("*",), (), lambda _h, _p: ["169.254.169.254"])
    with pytest.raises(SourceProblem):
        metadata.target("http://x.example/")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://127.0.0.1:9090/", "(127.0.0.1) is this server itself"),
        ("http://[::ffff:127.0.0.1]:9090/", "is this server itself"),
        ("http://10.1.2.3:9090/", "(10.1.2.3) is private"),
        ("http://[fd00::7]:9090/", "(fd00::7) is private"),
    ],
)
def test_what_is_refused_says_the_setting_that_allows_it(url, told):
    with pytest.raises(SourceProblem) as problem:
        PUBLIC.target(url)
    assert told in str(problem.value)
    setting = re.search(r"VIGILO_SOURCE_ALLOW='(.+)'", str(problem.value))
    assert setting
    assert AddressGuard.of(json.loads(setting[1])).target(url).port == 9090


def test_what_nobody_may_allow_names_no_setting():
    with pytest.raises(SourceProblem) as problem:
        PUBLIC.target("http://169.254.169.254/")
    assert "VIGILO" not in str(problem.value)


def test_not_the_programs_own_database():
    own = AddressGuard.of(["10.0.0.0/8"], [("10.0.0.5", 5432)])
    with pytest.raises(SourceProblem, match="own database"):
        own.target("http://10.0.0.5:5432/")


@pytest.mark.parametrize(
    ("wrapped", "plain"),
    [("::ffff:10.0.0.1", "10.0.0.1"), ("2002:a00:1::", "10.0.0.1"), ("64:ff9b::a00:1", "10.0.0.1"),
     ("2001:db8::1", "2001:db8::1")],
)  # fmt: skip
def test_wrapped_addresses_are_unwrapped(wrapped, plain):
    assert plain_address(ipaddress.ip_address(wrapped)) == ipaddress.ip_address(plain)


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0177.0.0.1/",
        "https://[::1]/",
        "https://localhost/",
        "https://LocalHost./",
        "https://a.localhost/",
        "https://169.254.169.254/",
        "https://2852039166/",
        "https://metadata.google.internal/",
        "https://hooks.example.com:22/",
        "https://hooks.example.com:99999/",
        "https://[::1/",
        "https://a:b@hooks.example.com/",
        "gopher://hooks.example.com/",
    ],
)
def test_what_stands_in_an_address_is_checked_before_a_proxy_resolves_it(url):
    """The proxy is a machine of the network: what is loopback or metadata there is none of ours to ask."""
    with pytest.raises(SourceProblem) as problem:
        PUBLIC.check_proxied(url)
    assert problem.value.code == "blocked_address"


@pytest.mark.parametrize(
    "url",
    ["https://hooks.example.com/x", "https://hooks.example.com:8443/", "https://1.1.1.1/"],
)
def test_a_public_name_is_left_to_the_proxy(url):
    PUBLIC.check_proxied(url)
