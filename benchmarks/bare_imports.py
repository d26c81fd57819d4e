"""The least that a worker weighs: the bare worker, with the libraries loaded that ours uses.

None of our code is in it. Named in ``--include``, it is loaded when the worker starts.
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
# Loads the driver as well, and connects to nothing.
engine = sqlalchemy.create_engine(os.environ["DATABASE_URL"])
