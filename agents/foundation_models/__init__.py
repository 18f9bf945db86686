"""Catalogue of pre-trained model families: one Markdown page each, read by the tool `foundation_models_info`."""
