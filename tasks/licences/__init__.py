"""Licences: access to their servers, registration, circuits, and shares of a worker's threads."""
