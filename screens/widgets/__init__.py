"""The panes that screens are put together from, one a file."""
