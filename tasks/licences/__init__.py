"""Licences: access to their servers, registration, circuit, and shares of the threads."""
