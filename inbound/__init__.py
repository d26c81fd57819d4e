"""The HTTP addresses: a Flask application, or a blueprint for another application."""

from inbound.web import blueprint, create_app

__all__ = ["blueprint", "create_app"]
