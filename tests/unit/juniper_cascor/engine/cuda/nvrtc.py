"""NVIDIA's run-time compiler, which needs no GPU and no driver."""

import ctypes
import importlib.metadata
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from juniper_cascor.engine.cuda import device
from juniper_cascor.engine.cuda.device import Kernel


@dataclass(frozen=True)
class Needs:
    """What one thread or block of a kernel takes, as the assembler says."""

    registers: int
    stack_bytes: int
    spilled_bytes: int
    static_shared_bytes: int


class CompilationError(Exception):
    """With the compiler's own words."""


def needs(kernel: Kernel, architecture: str) -> Needs:
    """Compile a kernel for an architecture such as sm_90. Raises CompilationError."""
    log = _log_of(kernel, architecture)
    told = log[log.index(f"entry function '{kernel.name}'") :]

    def number(pattern: str) -> int:
        found = re.search(pattern, told)
        return int(found[1]) if found else 0

    spilled = number(r"(\d+) bytes spill stores") + number(r"(\d+) bytes spill loads")
    return Needs(
        number(r"Used (\d+) registers"), number(r"(\d+) bytes stack frame"), spilled, number(r"(\d+) bytes smem")
    )


def _log_of(kernel: Kernel, architecture: str) -> str:
    library = _library()
    program = ctypes.c_void_p()
    text = device.whole_source(kernel.name).encode()
    assert library.nvrtcCreateProgram(ctypes.byref(program), text, b"kernels.cu", 0, None, None) == 0
    options = [f"-arch={architecture}", *device.OPTIONS, *kernel.options, "--ptxas-options=-v"]
    passed = (ctypes.c_char_p * len(options))(*(option.encode() for option in options))
    is_compiled = library.nvrtcCompileProgram(program, len(options), passed) == 0
    size = ctypes.c_size_t()
    library.nvrtcGetProgramLogSize(program, ctypes.byref(size))
    log = ctypes.create_string_buffer(size.value)
    library.nvrtcGetProgramLog(program, log)
    library.nvrtcDestroyProgram(ctypes.byref(program))
    if not is_compiled:
        raise CompilationError(log.value.decode())
    return log.value.decode()


@cache
def _library() -> Any:
    # What it looks for by name when it compiles; the wheels of CUDA 13.0 do not find it beside themselves.
    ctypes.CDLL(_file(r"libnvrtc-builtins\.so\.[\d.]+"))
    return ctypes.CDLL(_file(r"libnvrtc\.so\.\d+"))


def _file(name: str) -> str:
    files = importlib.metadata.files("nvidia-cuda-nvrtc") or []
    (path,) = (file.locate() for file in files if re.fullmatch(name, file.name))
    return str(path)
