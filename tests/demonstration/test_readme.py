"""What README.md tells people to type works, and what it shows is what they will see."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from django.conf import LazySettings
from pytest_django.live_server_helper import LiveServer

from authz import clock
from authz.demonstration import people, services
from authz.demonstration.patients import stories
from authz.prescriptions.models import FillVersion
from authz.prior_auths.models import PriorAuth
from config.embedded.walk_through import STEPS
from tests.demonstration.serving import at_work

pytestmark = pytest.mark.live

README = Path(__file__).resolve().parent.parent.parent / "README.md"
POLICIES = README.parent / "docs/policies.md"


def typed(text: str) -> str:
    """Return what a reader would type: every block marked as sh, in order."""
    return "\n".join(re.findall(r"^```sh\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL))


def test_the_main_job_and_a_policy_by_curl_go_as_told(
    transactional_db: None, live_server: LiveServer, settings: LazySettings, tmp_path: Path
) -> None:
    services.load(now=clock.now(), patients=())

    blocks = "\n".join(typed(page.read_text(encoding="utf-8")) for page in (README, POLICIES))

    with at_work(settings, tmp_path):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", blocks],
            cwd=README.parent,
            env={**os.environ, "URL": live_server.url},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    assert done.returncode == 0, done.stdout + done.stderr
    request = PriorAuth.objects.get()
    assert request.state == "decided"
    said = done.stdout.splitlines()
    assert said[:5] == ["created", "created", "[]", "created", "unchanged"]
    assert said[5] == request.number
    assert said[6].startswith("8 covered days since")
    assert said[7:12] == ["draft", "draft", "['pr.attest']", "awaiting_prescriber", "draft"]
    assert "72 hours after the insurer received" in said[12]
    assert said[13].startswith("AU-")
    assert said[14] == f"Prior authorization request {request.number} was approved."
    assert said[15:18] == ["True", "2", "active"]
    assert said[19:] == ["True", "retired"]
    assert FillVersion.objects.count() == 2


def test_the_password_and_the_log_ins_are_the_demonstrations() -> None:
    text = README.read_text(encoding="utf-8")

    assert people.password() in text
    assert set(re.findall(r"[\w.]+@[\w.]+\.example", text)) <= {one.email for one in people.log_ins()} | {
        "secret@db.example"
    }


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
def test_the_transcript_shows_every_step(step: object) -> None:
    assert (step.__doc__ or "").strip() in README.read_text(encoding="utf-8")


def test_the_page_about_the_demonstration_names_everybody_and_nobody_else() -> None:
    page = (README.parent / "docs/demonstration.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\S+@\S+) \| (.+?) \| (.+?) \| (.+?) \|$", page, flags=re.MULTILINE)

    assert rows == [(one.email, one.name, one.place.name, one.does) for one in people.log_ins()]
    assert people.password() in page
    assert set(re.findall(r"\b(?:RV|HS)-\d+", page)) <= {story.number for story in stories()}
