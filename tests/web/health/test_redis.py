"""Redis that answers and takes nothing is found, with what to type."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator

import pytest
from redis import Redis

from settings import load
from tests.exports.work.test_killed_workers import free_port
from tests.served import until
from web.health import surroundings

REDIS = shutil.which("redis-server")
pytestmark = pytest.mark.skipif(
    REDIS is None, reason="redis-server: .ci/system-packages redis-server"
)


@pytest.fixture
def redis() -> Iterator[Redis]:
    """A Redis of its own."""
    port = free_port()
    process = subprocess.Popen(
        [str(REDIS), "--port", str(port), "--bind", "127.0.0.1", "--save", ""],
        stdout=subprocess.DEVNULL,
    )
    client = Redis(port=port)

    def answers() -> bool:
        try:
            return bool(client.ping())
        except OSError:
            return False
        except Exception:  # noqa: BLE001 - it still begins
            return False

    try:
        until(answers)
        yield client
    finally:
        client.close()
        process.kill()
        process.wait(10)


@pytest.mark.parametrize(
    ("harm", "remedy"),
    [
        ("config set maxmemory 1", "config set maxmemory 0"),
        ("replicaof 127.0.0.1 1", "replicaof no one"),
    ],
)
def test_it_is_found_and_typing_what_is_told_mends_it(redis, tmp_path, harm, remedy):
    port = redis.connection_pool.connection_kwargs["port"]
    settings = load(data_dir=tmp_path, redis_url=f"redis://127.0.0.1:{port}/0")
    assert surroundings.redis_takes(settings, 5.0) == []
    redis.execute_command(*harm.split())
    (problem,) = surroundings.redis_takes(settings, 5.0)
    assert "takes nothing" in problem.detail
    assert remedy in problem.remedy
    typed = problem.remedy.partition("   (")[0].removeprefix("redis-cli ")
    redis.execute_command(*typed.split())
    assert surroundings.redis_takes(settings, 5.0) == []


def test_a_user_who_may_write_the_queue_alone_is_no_problem(redis, tmp_path):
    port = redis.connection_pool.connection_kwargs["port"]
    redis.execute_command(*["acl", "setuser", "queue", "on", ">secret", "~celery*", "+@all"])
    settings = load(data_dir=tmp_path, redis_url=f"redis://queue:secret@127.0.0.1:{port}/0")
    assert surroundings.redis_takes(settings, 5.0) == []
