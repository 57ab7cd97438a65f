"""The webhooks the demonstration caught."""

import threading
from http.client import HTTPConnection
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client

from config.embedded.webhook_catcher import catch, keep
from tests.web.reading import findings


@pytest.fixture
def folder(tmp_path: Path, settings: LazySettings) -> Path:
    settings.IS_DEMONSTRATION = True
    settings.DEMO_WEBHOOK_DIR, settings.DEMO_WEBHOOK_URL = str(tmp_path), "http://127.0.0.1:8060/hook"
    return tmp_path


def test_what_is_posted_is_kept_and_shown(db: None, client: Client, folder: Path) -> None:
    with catch(folder, 0) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        line = HTTPConnection("127.0.0.1", server.server_address[1], timeout=5)
        line.request("POST", "/hook", b'{"type": "webhook.test"}', {"webhook-id": "msg-1", "cookie": "no"})
        assert line.getresponse().status == 204
        line.close()
        server.shutdown()
        serving.join()

    shown = client.get("/demo/webhooks/").content.decode()

    assert "&quot;webhook.test&quot;" in shown
    assert "msg-1" in shown
    assert "cookie" not in shown
    assert findings(shown) == []


def test_before_anything_came_the_page_says_how_to_make_something_come(db: None, client: Client, folder: Path) -> None:
    shown = client.get("/demo/webhooks/").content.decode()

    assert "Nothing was posted yet." in shown
    assert "http://127.0.0.1:8060/hook" in shown
    assert findings(shown) == []


def test_outside_the_demonstration_there_is_no_such_page(
    db: None, client: Client, folder: Path, settings: LazySettings
) -> None:
    keep(folder, path="/hook", headers={}, body=b"{}")
    settings.IS_DEMONSTRATION = False

    assert client.get("/demo/webhooks/").status_code == 404
