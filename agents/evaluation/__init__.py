"""Scores of predictions: the table of metrics, the reader of predictions, the arithmetic."""
