"""What reaches us over HTTP: a Flask application, or its blueprint for another one."""

from inbound.web import blueprint, create_app

__all__ = ["blueprint", "create_app"]
