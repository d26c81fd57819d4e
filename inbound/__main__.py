"""The process ``web``: ``python -m inbound``."""

from __future__ import annotations

import click

from inbound.server import serve
from inbound.web import create_app
from inbound.web_logs import RequestLog
from models.session import WEB_THREADS
from tasks.cli.command import OperatorError, operator_errors


@click.command()
@click.option("--host", default="0.0.0.0", show_default=True, help="Listen on this address.")
@click.option(
    "--port", type=click.IntRange(1, 65_535), default=8_000, show_default=True, help="And port."
)
def main(host: str, port: int) -> None:
    """Take Mattermost's webhooks, and show health and metrics, until SIGTERM."""
    with operator_errors():
        app = RequestLog(create_app())
        try:
            serve(app, host=host, port=port, threads=WEB_THREADS)
        except OSError as error:
            raise OperatorError(f"cannot listen on {host}:{port}: {error.strerror}") from None


main(prog_name="python -m inbound")
