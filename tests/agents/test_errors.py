"""What went wrong, in one line of words."""

import errno
import os
import shutil

from agents.errors import UserError, words_of


def test_a_full_disk_is_told_with_the_file_and_without_numbers_of_the_system() -> None:
    assert (
        words_of(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/run/test")) == "/run/test: No space left on device"
    )
    assert words_of(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))) == "No space left on device"


def test_of_a_copy_that_failed_at_many_files_the_first_is_told() -> None:
    failed = shutil.Error([("/a/x", "/b/x", "[Errno 28] No space left on device"), ("/a/y", "/b/y", "too")])
    assert words_of(failed) == "/a/x: [Errno 28] No space left on device"


def test_what_has_words_of_its_own_keeps_them() -> None:
    assert words_of(UserError("train.csv, row 3: no label")) == "train.csv, row 3: no label"
    assert words_of(OSError("odd")) == "odd"
