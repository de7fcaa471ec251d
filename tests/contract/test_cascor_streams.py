"""The streams of the training service, against the real service and the fake."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing

import pytest

from juniper_cascor.client import CascorControlStream, CascorTrainingStream, JuniperCascorClient
from juniper_common.http import ClientError, NotFoundError, UnreachableError
from juniper_common.wire.stream import StreamMessage
from juniper_common.wire.training import ChangeParameters
from tests.contract.cascor_world import World
from tests.contract.test_cascor_client import PACED, SMALL, world
