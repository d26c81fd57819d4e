"""The least memory of a worker: a bare worker that loads the libraries that ours uses.

Our code is not used. The worker loads this module at its start, by ``--include``.
"""

from __future__ import annotations

import os

import cryptography.fernet
import fsspec
import pydantic_settings
import regex
import sqlalchemy.orm
import structlog

LOADED = (cryptography, fsspec, pydantic_settings, regex, structlog)
# This also loads the driver, without connecting.
engine = sqlalchemy.create_engine(os.environ["DATABASE_URL"])
