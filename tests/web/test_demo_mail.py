"""The mail the demonstration caught."""

from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client

from config.embedded.mail_catcher import keep
from tests.web.reading import findings

MAIL = (
    b"Subject: Prior authorization request PA-1 was opened.\r\nDate: Mon, 03 Mar 2025 15:00:00 +0000\r\n"
    b"To: jones@riverside.example\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    b"Read it: http://127.0.0.1:8000/prior-auths/1/ <b>not bold</b>\r\n"
)


@pytest.fixture
def folder(tmp_path: Path, settings: LazySettings) -> Path:
    settings.IS_DEMONSTRATION = True
    folder = tmp_path / "mail"
    folder.mkdir()
    settings.DEMO_MAIL_DIR = str(folder)
    return folder


def test_the_mailbox_lists_what_was_caught_and_shows_one(db: None, client: Client, folder: Path) -> None:
    caught = keep(folder, MAIL, recipients=["jones@riverside.example"])

    listed = client.get("/demo/mail/").content.decode()
    shown = client.get(f"/demo/mail/{caught.name}/").content.decode()

    assert "PA-1 was opened." in listed
    assert "jones@riverside.example" in shown
    assert "&lt;b&gt;not bold" in shown
    assert findings(listed) == []
    assert [found for found in findings(shown) if "leads away" not in found] == []


@pytest.mark.parametrize(
    ("date", "shown"),
    [(b"Mon, 03 Mar 2025 15:00:00 -0000", "Mar 3, 2025, 3:00 PM UTC"), (b"yesterday", ""), (b"", "")],
)
def test_any_date_a_mail_may_bear_is_shown_or_left_out(
    db: None, client: Client, folder: Path, date: bytes, shown: str
) -> None:
    keep(folder, MAIL.replace(b"Mon, 03 Mar 2025 15:00:00 +0000", date), recipients=[])

    answer = client.get("/demo/mail/")

    assert answer.status_code == 200
    assert shown in answer.content.decode()


def test_an_empty_or_missing_mailbox_says_so(db: None, client: Client, folder: Path) -> None:
    assert "No mail has been sent yet." in client.get("/demo/mail/").content.decode()

    folder.rmdir()

    assert "No mail has been sent yet." in client.get("/demo/mail/").content.decode()


@pytest.mark.parametrize(
    "name", ["../secret.eml", "..%2Fsecret.eml", "%2e%2e%2fsecret.eml", "link.eml", "note.txt", "folder.eml"]
)
def test_no_name_leads_out_of_the_mailbox(db: None, client: Client, folder: Path, name: str) -> None:
    (folder.parent / "secret.eml").write_bytes(MAIL.replace(b"Read it", b"Top secret"))
    (folder / "link.eml").symlink_to(folder.parent / "secret.eml")
    (folder / "note.txt").write_bytes(MAIL)
    (folder / "folder.eml").mkdir()

    answer = client.get(f"/demo/mail/{name}/")

    assert answer.status_code == 404
    assert b"Top secret" not in answer.content


def test_outside_the_demonstration_there_is_no_mailbox(
    db: None, client: Client, folder: Path, settings: LazySettings
) -> None:
    caught = keep(folder, MAIL, recipients=[])
    settings.IS_DEMONSTRATION = False

    assert client.get("/demo/mail/").status_code == 404
    assert client.get(f"/demo/mail/{caught.name}/").status_code == 404
