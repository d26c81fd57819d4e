"""Benchmarks of the promises, each against a yardstick on the same machine."""
