"""Errors that a person caused and a person can mend."""


class UserError(Exception):
    """Bad input from a person.

    The message is one line that says what is wrong, where (file, row, column) and what to do. A command that meets
    it prints the line on stderr and exits with status 2; nothing has been written or lost.
    """
