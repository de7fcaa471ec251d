"""Ansible replaces `sys.intern` as it is imported, and torch's exporter, which other tests use, does not take that."""

import sys

_intern = sys.intern
import ansible.parsing.dataloader  # noqa: E402, F401

sys.intern = _intern
