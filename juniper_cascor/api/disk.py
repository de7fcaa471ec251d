"""What a caller is told of a disk that is full, read-only, or fails; nothing was started or changed then."""

import errno
import logging

from starlette.requests import Request
from starlette.responses import Response

from juniper_cascor.api.envelope import failure
from juniper_cascor.runs.store import StoreError
from juniper_common.errors import UnavailableError

_OF_THE_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EACCES, errno.EPERM})

log = logging.getLogger(__name__)


def refusal(error: Exception) -> UnavailableError:
    """The error as a refusal, without the service's paths. Raises it again where the disk is not to blame."""
    if isinstance(error, StoreError):
        reason = str(error)
    elif isinstance(error, OSError) and error.errno in _OF_THE_DISK:
        reason = f"the disk refuses: {error.strerror}"
    else:
        raise error
    log.error("%s", error)
    return UnavailableError(reason)


async def disk_failed(_: Request, error: Exception) -> Response:
    """Answer 503, where the disk is to blame."""
    return failure(refusal(error))
