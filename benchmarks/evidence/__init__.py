"""Benchmarks that hold the evidence of a design: run by name, none of them by default."""
