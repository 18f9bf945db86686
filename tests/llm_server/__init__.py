"""A server that speaks the OpenAI wire format, answers like an expert and misbehaves where a scenario tells it to.

``serve()`` in ``serving.py`` runs it inside a test; ``python -m tests.llm_server SCENARIO`` runs it for a person.
"""
