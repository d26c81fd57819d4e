"""A stand-in for a Mattermost 6.7.2 server, for tests, benchmarks and the demo."""

from demo.mattermost.server import StandIn, running_server

__all__ = ["StandIn", "running_server"]
