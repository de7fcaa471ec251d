"""What a person does on the Training page, in Chromium, with the three real services behind it."""

import os
import re
import signal
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Host

