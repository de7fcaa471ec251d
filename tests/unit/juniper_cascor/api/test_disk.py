"""What a caller is told of errors of the disk."""

import errno
import os

import pytest

from juniper_cascor.api import disk
from juniper_cascor.runs.store import StoreError


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EIO, errno.EACCES])
def test_a_disk_that_refuses_is_said_to(number: int) -> None:
    """The reason, and not the path."""
    refusal = disk.refusal(OSError(number, os.strerror(number), "/srv/secret"))
    assert refusal.message == f"the disk refuses: {os.strerror(number)}"


def test_a_store_says_what_is_wrong() -> None:
    """In its own words."""
    assert disk.refusal(StoreError("the run store is closed")).message == "the run store is closed"


def test_any_other_error_is_a_mistake_of_the_service() -> None:
    """It goes on to where its traceback is logged."""
    with pytest.raises(FileNotFoundError):
        disk.refusal(FileNotFoundError(errno.ENOENT, "No such file", "/srv/secret"))
