"""Identity is proved to the database: nobody becomes another by saying so, by repeating what they
overheard, or with a credential that has ended."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from storage import context
from storage.context import NoContext, NotIdentified, as_viewer, enter
from storage.identity import tickets
from storage.identity.proof import Credential, Proof, verifier_of
from storage.viewer import Viewer
from tests.conftest import TODAY
from tests.world import World, at

SESSION = text("""
insert into web_session (id_hash, user_id, expires_at) values (:h, :u, now() + interval '1 day')
""")
TOKEN = text("insert into api_token (user_id, token_hash, scopes) values (:u, :h, array[:scope])")


@pytest.fixture
def world(database, settings) -> World:
    """Alpha, where Alice is platform admin; Bob is nowhere."""
    made = World(database, settings)
    made.alpha = made.workspace("alpha")
    made.alice, made.bob = made.person("alice@x.example"), made.person("bob@x.example")
    made.member(made.alice, made.alpha, "platform_admin")
    made.add(made.alpha, "incident", [{"key": "a", "opened_at": at(TODAY)}])
    return made


def incidents(connection) -> int:
    return connection.execute(text("select count(*) from incident")).scalar_one()


def with_session(world: World, viewer: Viewer, secret: str = "a session") -> Viewer:
    """The viewer, signed in."""
    with world.database.job.begin() as connection:
        connection.execute(SESSION, {"h": verifier_of(secret), "u": viewer.user_id})
    return Viewer(viewer.user_id, viewer.email, proof=Proof.of(Credential.SESSION, secret))


def with_token(world: World, viewer: Viewer, scope: str, secret: str = "vgl_x") -> Viewer:
    """The viewer, with a bearer token."""
    with world.database.job.begin() as connection:
        connection.execute(TOKEN, {"u": viewer.user_id, "h": verifier_of(secret), "scope": scope})
    return Viewer(viewer.user_id, viewer.email, proof=Proof.of(Credential.TOKEN, secret))


@pytest.mark.parametrize(
    "signed_in", [with_session, lambda w, v: with_token(w, v, "executive:read")]
)
def test_a_session_and_a_token_stand_for_their_person(world, signed_in):
    viewer = signed_in(world, world.alice)
    with (
        as_viewer(world.database.web, viewer) as connection,
        enter(connection, context.WORKSPACE, world.alpha),
    ):
        assert incidents(connection) == 1
        assert connection.execute(text("select vigilo.viewer()")).scalar_one() == viewer.user_id


def test_a_token_that_sends_events_reads_nothing(world):
    viewer = with_token(world, world.alice, "ingest:alpha")
    with pytest.raises(NotIdentified), as_viewer(world.database.web, viewer):
        pass


@pytest.mark.parametrize(
    "ended",
    [
        "update web_session set expires_at = now()",
        "update web_session set seen_at = now() - interval '13 hours'",
        "update app_user set is_active = false",
        "update app_user set password_changed_at = now() + interval '1 second'",
        "delete from web_session",
        "update web_session set user_id = null",
    ],
)
def test_a_session_that_ended_stands_for_nobody(world, ended):
    viewer = with_session(world, world.alice)
    world.sql(ended)
    with pytest.raises(NotIdentified), as_viewer(world.database.web, viewer):
        pass


def test_a_proof_is_of_one_person(world):
    stolen = with_session(world, world.bob)
    alice = Viewer(world.alice.user_id, world.alice.email, proof=stolen.proof)
    with pytest.raises(NotIdentified), as_viewer(world.database.web, alice):
        pass


def test_without_a_proof_nothing_is_asked(world):
    with pytest.raises(NoContext), as_viewer(world.database.web, Viewer(1, "alice@x.example")):
        pass


def test_a_ticket_runs_out_and_is_forgotten(world):
    with world.database.job.begin() as connection:
        proof = tickets.issue(connection, world.alice.user_id, timedelta(seconds=-1))
    viewer = Viewer(world.alice.user_id, world.alice.email, proof=proof)
    with pytest.raises(NotIdentified), as_viewer(world.database.web, viewer):
        pass
    with world.database.job.begin() as connection:
        tickets.issue(connection, world.alice.user_id)
        left = connection.execute(
            text("select count(*) from viewer_ticket where expires_at < now()")
        )
        assert left.scalar_one() == 0


@pytest.mark.parametrize("level", [context.ROLLUP, context.WORKSPACE])
def test_the_setting_alone_makes_nobody(world, level):
    """Every setting can be written by an injected statement; none of them is believed."""
    with (
        as_viewer(world.database.web, world.bob) as connection,
        enter(connection, level, world.alpha),
    ):
        connection.execute(
            text("select set_config('vigilo.user_id', :u, true)"), {"u": str(world.alice.user_id)}
        )
        assert incidents(connection) == 0
        for query in ("vigilo.executive_scope()", "vigilo.my_workspaces()"):
            assert connection.execute(text(f"select count(*) from {query}")).scalar_one() == 0
        assert connection.execute(text("select vigilo.viewer()")).scalar_one() is None


def test_a_seal_holds_in_its_own_transaction_alone(world):
    settings = "select current_setting('vigilo.user_id'), current_setting('vigilo.seal')"
    with as_viewer(world.database.web, world.alice) as connection:
        user, seal = connection.execute(text(settings)).one()
    repeat = text(
        "select set_config('vigilo.user_id', :u, true), set_config('vigilo.seal', :s, true),"
        " set_config('vigilo.level', 'workspace', true), set_config('vigilo.workspace_id', :w, true)"
    )
    with world.database.web.begin() as connection:
        connection.execute(repeat, {"u": user, "s": seal, "w": str(world.alpha)})
        assert incidents(connection) == 0


def test_what_the_role_can_overhear_makes_nobody(world):
    """Whoever holds the web role's password reads what others of that role run: a name and an answer, which
    are refused in any transaction but the one that they were made for."""
    viewer = with_session(world, world.alice, secret := "a secret that stays here")
    overheard = text(
        "select query from pg_stat_activity where query like '%identify%' and pid <> pg_backend_pid()"
    )
    with (
        as_viewer(world.database.web, viewer),
        world.database.web.connect() as thief,
    ):
        (statement,) = thief.execute(overheard).scalars().all()
        for hidden in (secret, verifier_of(secret).hex()):
            assert hidden not in statement
        assert thief.exec_driver_sql(statement.replace("%", "%%")).scalar_one() is None
        thief.execute(text("select set_config('vigilo.level', 'workspace', true)"))
        thief.execute(
            text("select set_config('vigilo.workspace_id', :w, true)"), {"w": str(world.alpha)}
        )
        assert incidents(thief) == 0
