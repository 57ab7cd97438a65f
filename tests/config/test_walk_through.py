"""The walk-through sees the main job happen, and says which step it did not see."""

from pathlib import Path

import pytest
from django.conf import LazySettings
from pytest_django.live_server_helper import LiveServer

from authz import clock
from authz.demonstration import services
from config.embedded.caller import Caller, Letterbox, NotObserved, await_it
from config.embedded.ports import any_free
from config.embedded.walk_through import STEPS, Walk, tell
from tests.demonstration.serving import Gossip, at_work, mail_caught, worker

pytestmark = pytest.mark.live


def walk_to(server: LiveServer, mail: Path, *, seconds: float = 20.0) -> Walk:
    return Walk(server.url, Letterbox(mail), seconds)


@pytest.fixture
def people(transactional_db: None) -> None:
    """Everybody of the demonstration, without its patients."""
    services.load(now=clock.now(), patients=())


@pytest.mark.usefixtures("people")
def test_every_step_is_observed_and_each_run_brings_its_own_patient(
    live_server: LiveServer, settings: LazySettings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = walk_to(live_server, tmp_path), walk_to(live_server, tmp_path)

    with at_work(settings, tmp_path):
        observed = [tell(first), tell(second)]

    told = capsys.readouterr().out
    assert observed == [True, True], told
    assert first.patient["id"] != second.patient["id"]
    assert [one.channel for one in first.deliveries] == ["inbox", "e-mail"] * 3
    assert told.count("Every step was observed.") == 2
    assert first.prior_auth["number"] in told
    assert first.prior_auth["authorizations"][0]["number"] in told
    assert "8 covered days since" in told


@pytest.mark.usefixtures("people")
def test_without_a_worker_the_missing_notice_is_named(
    live_server: LiveServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    walk = walk_to(live_server, tmp_path, seconds=2)

    assert tell(walk) is False

    last = capsys.readouterr().out.strip().splitlines()[-1]
    assert last.startswith("step 6 (Dr Jones, who prescribed, is told, without a word about the patient)")
    assert f"was not observed: no prior-auth.opened for {walk.prior_auth['number']} in the inbox" in last


@pytest.mark.usefixtures("people")
def test_without_mail_the_missing_mail_is_named(
    live_server: LiveServer, settings: LazySettings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"

    with worker():
        observed = tell(walk_to(live_server, tmp_path, seconds=2))

    assert not observed
    assert "step 6" in (told := capsys.readouterr().out)
    assert "no mail that PA-" in told


@pytest.mark.usefixtures("people")
def test_a_mail_that_names_the_patient_is_a_failure_which_is_not_repeated(
    live_server: LiveServer, settings: LazySettings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gossip = Gossip(tmp_path)
    gossip.words = b"Wilhelmina takes oxycodone."

    with mail_caught(settings, gossip), worker():
        observed = tell(walk_to(live_server, tmp_path))

    told = capsys.readouterr().out
    assert not observed
    assert "was not observed: a mail gives away 2 facts about the patient" in told
    assert "Wilhelmina" not in told


def test_when_nobody_serves_the_first_step_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    walk = Walk(f"http://127.0.0.1:{any_free()}", Letterbox(tmp_path), 1.0)

    assert tell(walk) is False

    assert "step 1 (Stella, on the clinic's staff, logs in) was not observed: POST" in capsys.readouterr().out


@pytest.mark.usefixtures("people")
def test_a_refusal_is_told_with_its_code_and_field(live_server: LiveServer) -> None:
    nobody = Caller(live_server.url)

    with pytest.raises(NotObserved, match=r"answered 401, not 201: log-in-refused"):
        nobody.log_in("stella@riverside.example", "wrong")
    with pytest.raises(NotObserved, match=r"answered 422, not 201: .*email"):
        nobody.post("tokens/", {"password": "x"}, expect=201)


def test_waiting_ends_when_it_is_there_and_when_time_is_up() -> None:
    looks = iter([None, None, "there"])

    assert await_it(lambda: next(looks), what="nothing", seconds=5) == "there"
    with pytest.raises(NotObserved, match="no bus within 0 s"):
        await_it(lambda: None, what="no bus", seconds=0.01)


def test_every_step_has_a_name() -> None:
    names = [(step.__doc__ or "").strip() for step in STEPS]

    assert all(names)
    assert len(set(names)) == len(names)
