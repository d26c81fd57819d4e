"""The demo's page in a real browser, against the running demo."""
