"""What a person starts: the command line, the Textual app, and the worker that connects them to a run."""
