"""Benchmarks that give evidence for a design. They run only by name."""
