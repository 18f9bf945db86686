"""Benchmarks: each module prints its figures; nothing here is a test."""
