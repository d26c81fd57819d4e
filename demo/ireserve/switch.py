"""Turn the API of the stand-in Mattermost server off and on."""

from __future__ import annotations

import requests

# The stand-in is on this machine, and answers at once or not at all.
TIMEOUT_S = 5
_FAULT = "down"


class Switch:
    """The switch of the stand-in at this address."""

    def __init__(self, stand_in_url: str) -> None:
        self._faults_url = f"{stand_in_url}/_control/faults"

    def is_on(self) -> bool:
        """Return whether the server answers."""
        return not self._fault_ids()

    def turn(self, *, on: bool) -> None:
        """Let the server answer from now on, or cut every connection to its API."""
        if not on and self.is_on():
            requests.post(
                self._faults_url, json={"kind": _FAULT}, timeout=TIMEOUT_S
            ).raise_for_status()
        for fault_id in self._fault_ids() if on else ():
            requests.delete(f"{self._faults_url}/{fault_id}", timeout=TIMEOUT_S).raise_for_status()

    def _fault_ids(self) -> list[int]:
        answer = requests.get(self._faults_url, timeout=TIMEOUT_S)
        answer.raise_for_status()
        return [fault["id"] for fault in answer.json()["faults"] if fault["kind"] == _FAULT]
