"""Repositories over HTTP by git's own ``git http-backend``, which a small server runs as a CGI."""

from __future__ import annotations

import base64
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

WHO = {
    "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@x.example",
    "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@x.example",
}  # fmt: skip


@dataclass
class GitServer:
    """A running server: ``root`` has the repositories; ``asked`` are the requests that came, ``signed``
    what they signed in with. Requests need ``token`` where there is one, and go to ``elsewhere`` where that
    is set."""

    root: Path
    port: int = 0
    token: str = ""
    elsewhere: str = ""
    asked: list[str] = field(default_factory=list)
    signed: list[str] = field(default_factory=list)

    @property
    def base(self) -> str:
        """Address of the server."""
        return f"http://127.0.0.1:{self.port}"

    def repository(self, name: str) -> Path:
        """An empty repository, of which clones may leave the contents of files out."""
        path = self.root / name
        git(path.parent, "init", "--quiet", "--bare", str(path))
        git(path, "config", "uploadpack.allowFilter", "true")
        return path


def git(folder: Path, *words: str, at: datetime | None = None) -> str:
    """Answer of git in a folder, as if it were another time."""
    folder.mkdir(parents=True, exist_ok=True)
    when = {} if at is None else dict.fromkeys(
        ("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), at.isoformat()
    )  # fmt: skip
    environment = {**os.environ, **WHO, **when, "GIT_CONFIG_GLOBAL": "/dev/null"}
    done = subprocess.run(
        ["git", *words], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


def release(bare: Path, tag: str, at: datetime, commits: int = 2) -> None:
    """Some commits, and a tag on the last of them."""
    for number in range(commits):
        hours = timedelta(hours=commits - number)
        tree = git(bare, "hash-object", "-t", "tree", "-w", "/dev/null").strip()
        parents = git(bare, "for-each-ref", "--format=%(objectname)", "refs/heads/main").split()
        before = [word for parent in parents for word in ("-p", parent)]
        made = git(bare, "commit-tree", tree, *before, "-m", f"{tag} {number}", at=at - hours)
        git(bare, "update-ref", "refs/heads/main", made.strip())
    git(bare, "tag", "-a", "-m", tag, tag, "refs/heads/main", at=at)


class GitHandler(BaseHTTPRequestHandler):
    """Answers with git's own program."""

    server_of_git: GitServer

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, body: bytes) -> None:
        served = self.server_of_git
        served.asked.append(self.path)
        given = self.headers.get("Authorization", "")
        served.signed.append(given)
        if served.elsewhere:
            self._told(302, {"Location": served.elsewhere + self.path}, b"")
        elif served.token and not _opens(given, served.token):
            self._told(401, {"WWW-Authenticate": 'Basic realm="git"'}, b"")
        else:
            self._told(*self._by_git(body))

    def _by_git(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        parts = urlsplit(self.path)
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.server_of_git.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": parts.path,
            "QUERY_STRING": parts.query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REMOTE_ADDR": "127.0.0.1",
        }
        done = subprocess.run(
            ["git", "http-backend"], input=body, env=environment, capture_output=True, check=False
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        lines = (line.partition(": ") for line in head.decode().split("\r\n") if line)
        headers = {name: value for name, _, value in lines}
        return int(headers.pop("Status", "200").split()[0]), headers, content

    def _told(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


def _opens(given: str, token: str) -> bool:
    scheme, _, pair = given.partition(" ")
    return scheme == "Basic" and base64.b64decode(pair).decode().partition(":")[2] == token


@contextmanager
def serving(root: Path) -> Iterator[GitServer]:
    """The server, for as long as the block lasts."""
    made = GitServer(root)
    handler = type("OneGitHandler", (GitHandler,), {"server_of_git": made})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    made.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
