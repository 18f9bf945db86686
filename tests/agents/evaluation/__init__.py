"""Tests of metrics, predictions and scores."""
