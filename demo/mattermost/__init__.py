"""A stand-in for a Mattermost server, for tests, benchmarks and the demo."""

from demo.mattermost.server import StandIn, running_server
from demo.mattermost.versions import NEWEST, VERSIONS

__all__ = ["NEWEST", "VERSIONS", "StandIn", "running_server"]
