"""The engine: loop, steps, tools, models, data, evaluation and reports. Runs with no screen and imports none."""
