"""``builtin/omics``: a deterministic policy without an LLM that answers the same messages with the same tools."""
