"""A lane to append to, its entries, and what is in it."""

from __future__ import annotations

from ireserve_mattermost.lanes import Lane, LaneEntry, Lanes

LANE = Lane.of_conversation("L1", "c1")


def entry(key: str) -> LaneEntry:
    """Return an entry with this key."""
    return LaneEntry("reply", key, "task", {"text": "ééé"})


def keys(lanes: Lanes, lane: Lane) -> list[str]:
    """Empty the lane; return the keys of its entries in their order."""
    found = []
    raw = lanes.head(lane)
    while raw is not None:
        found.append(LaneEntry.load(raw).key)
        raw = lanes.remove_head(lane, raw)
    return found
