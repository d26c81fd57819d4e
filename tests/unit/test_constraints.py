"""The pins name every tested package, and every package that an extra needs."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import distributions

import pytest

from tests.pages import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OURS = {"ireserve-mattermost", "ireserve-mattermost-client"}
NAME = re.compile(r"[A-Za-z0-9._-]+")
# The environment's own tools, which exist before our packages.
TOOLS = {"pip"}


def _name(requirement: str) -> str:
    """Return the name at the beginning of a requirement, as indexes compare it."""
    found = NAME.match(requirement)
    assert found is not None
    return re.sub(r"[-_.]+", "-", found[0]).lower()


PINS = {
    _name(line): line.partition("==")[2].partition(" ")[0]
    for line in (ROOT / "constraints.txt").read_text().splitlines()
}


def test_each_installed_package_is_pinned_as_it_is() -> None:
    """`constraints.txt` pins the versions with which these tests run."""
    installed = {_name(each.metadata["Name"]): each.version for each in distributions()}
    tested = {name: installed[name] for name in installed.keys() - OURS - TOOLS}

    assert {name: version for name, version in tested.items() if PINS.get(name) != version} == {}


@pytest.mark.parametrize("extra", ["", *sorted(PROJECT["optional-dependencies"])])
def test_what_an_extra_asks_for_is_pinned(extra: str) -> None:
    """The packages of all extras are pinned, also of extras that no test installs."""
    wanted = PROJECT["optional-dependencies"][extra] if extra else PROJECT["dependencies"]

    assert {_name(each) for each in wanted} - PINS.keys() - OURS == set()
