"""Errors that a person can mend, and how they are told."""

import errno
import os
import shutil
from typing import Final

_OF_THE_DISK: Final = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.ESTALE)


class UserError(Exception):
    """Bad input from a person.

    The message is one line that says what is wrong, where (file, row, column) and what to do. A command that meets
    it prints the line on stderr and exits with status 2; nothing has been written or lost.
    """


def is_of_the_disk(error: BaseException) -> bool:
    """Whether a full, broken or absent disk is the cause: nobody's mistake, and over when somebody has mended it.

    It ends the run, which can then be taken up at its open step. Handing it to a model would cost the step.
    """
    if isinstance(error, shutil.Error):
        return any(os.strerror(number) in str(error) for number in _OF_THE_DISK)
    return isinstance(error, OSError) and error.errno in _OF_THE_DISK


def words_of(error: Exception) -> str:
    """What went wrong, in words; of a copy that failed at several files, at the first one."""
    if isinstance(error, shutil.Error) and error.args and isinstance(error.args[0], list) and error.args[0]:
        source, _, reason = error.args[0][0]
        return f"{source}: {reason}"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)
