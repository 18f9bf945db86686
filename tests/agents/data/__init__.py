"""Tests of reading, checking and splitting datasets."""
