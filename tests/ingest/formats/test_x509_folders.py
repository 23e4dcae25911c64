"""Directories of certificates: links, keys beside them, and folders that hold none."""

from __future__ import annotations

import os

import pytest

from ingest.importer import load
from ingest.kinds import KINDS
from tests.ingest.formats.test_x509 import (
    NOTHING,
    ONE,
    PRIVATE,
    SECRET_LINE,
    TWO,
    as_yaml,
    certificate,
    der,
    pem,
    secret,
)


def of_folder(database, root):
    (outcome,) = load(database, KINDS["certificates"], [root], workspace="payments")
    return outcome


def test_a_directory_is_read_through_links_to_files_and_never_left_by_links_to_folders(
    database, workspaces, stored, tmp_path
):
    root, outside = tmp_path / "certs", tmp_path / "outside"
    (root / "deep" / "er").mkdir(parents=True)
    outside.mkdir()
    (root / "one.pem").write_bytes(pem(ONE))
    (root / "deep" / "copy.PEM").write_bytes(pem(ONE))
    (root / "deep" / "er" / "two.der").write_bytes(der(TWO))
    (root / "bad.crt").write_bytes(b"bad")
    (root / "readme.txt").write_text("no certificate")
    (outside / "three.pem").write_bytes(pem(certificate("three.example")))
    (outside / "four.pem").write_bytes(pem(certificate("four.example")))
    (root / "link.pem").symlink_to(outside / "three.pem")
    (root / "linked").symlink_to(outside)
    (root / "loop.pem").symlink_to(root / "loop.pem")
    (root / "nowhere.pem").symlink_to(root / "gone.pem")
    (root / "passwords.pem").symlink_to("/etc/passwd")
    os.mkfifo(root / "pipe.pem")
    outcome = of_folder(database, root)
    assert (outcome.read, outcome.written, outcome.unchanged, outcome.rejected) == (5, 3, 1, 1)
    assert outcome.rejects[0].file == str(root / "bad.crt")
    said = "\n".join(outcome.warnings)
    assert f"left out the link {root / 'passwords.pem'}: not all that it leads to" in said
    assert "left out 5 links and files" in said
    assert "root:" not in said
    assert {row["subject"] for row in stored("certificates")} == {
        "CN=one.example",
        "CN=two.example",
        "CN=three.example",
    }


def test_the_folder_that_certbot_serves_from(database, workspaces, stored, tmp_path):
    live, archive = tmp_path / "live" / "inn.example", tmp_path / "archive" / "inn.example"
    live.mkdir(parents=True)
    archive.mkdir(parents=True)
    (tmp_path / "live" / "README").write_text("words")
    for name, content in (
        ("cert", pem(ONE)),
        ("chain", pem(TWO)),
        ("fullchain", pem(ONE) + pem(TWO)),
        ("privkey", PRIVATE),
    ):
        (archive / f"{name}4.pem").write_bytes(content)
        (live / f"{name}.pem").symlink_to(f"../../archive/inn.example/{name}4.pem")
    outcome = of_folder(database, tmp_path / "live")
    assert (outcome.written, outcome.rejected, outcome.failed) == (2, 0, False)
    assert len(stored("certificates")) == 2
    assert SECRET_LINE not in str(outcome)


def test_the_folder_that_a_cluster_mounts(database, workspaces, tmp_path):
    (tmp_path / "..2026").mkdir()
    (tmp_path / "..2026" / "tls.crt").write_bytes(pem(ONE))
    (tmp_path / "..2026" / "tls.key").write_bytes(PRIVATE)
    (tmp_path / "..data").symlink_to("..2026")
    (tmp_path / "tls.crt").symlink_to("..data/tls.crt")
    (tmp_path / "tls.key").symlink_to("..data/tls.key")
    outcome = of_folder(database, tmp_path)
    assert (outcome.read, outcome.written, outcome.failed) == (1, 1, False)


def test_keys_beside_certificates_are_passed_over_in_silence(database, workspaces, tmp_path):
    (tmp_path / "one.pem").write_bytes(pem(ONE))
    (tmp_path / "one-key.pem").write_bytes(PRIVATE)
    (tmp_path / "one.key").write_bytes(PRIVATE)
    (tmp_path / "key.der").write_bytes(NOTHING["a key in DER"])
    (tmp_path / "request.pem").write_bytes(NOTHING["a request"])
    outcome = of_folder(database, tmp_path)
    assert (outcome.read, outcome.written, outcome.failed) == (1, 1, False)
    assert outcome.warnings == ["left out 1 files without a certificate"]


def test_manifests_of_a_folder_are_read_for_their_secrets_alone(database, workspaces, tmp_path):
    (tmp_path / "inn.yaml").write_bytes(as_yaml(secret()))
    (tmp_path / "service.yaml").write_text("kind: Service\n")
    (tmp_path / "package.json").write_text("{}")
    outcome = of_folder(database, tmp_path)
    assert (outcome.read, outcome.written, outcome.failed) == (1, 1, False)


@pytest.mark.parametrize("beside", ["nothing", "a key"])
def test_a_directory_that_yields_nothing_fails(database, workspaces, tmp_path, beside):
    if beside == "a key":
        (tmp_path / "some.pem").write_bytes(PRIVATE)
    outcome = of_folder(database, tmp_path)
    assert outcome.failed
    assert str(outcome.problem).startswith("holds no certificates")
