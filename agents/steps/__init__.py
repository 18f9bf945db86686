"""The steps of an iteration: what each must hand over, how it is asked for, how it is checked."""
