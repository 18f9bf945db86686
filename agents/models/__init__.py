"""Models: one gateway through litellm for every provider, the built-in policy included."""
