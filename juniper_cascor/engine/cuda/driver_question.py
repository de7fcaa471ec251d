"""A program that asks NVIDIA's driver what CUDA has here, and prints the answer as JSON.

It is a process of its own, by this file's path: what asks the driver holds a part of the GPU until it ends, and a
broken driver takes it down.
"""

import ctypes
import json

_MAJOR, _MINOR = 75, 76  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_*


def answer() -> dict[str, object]:
    """What `CudaFacts` holds."""
    try:
        cuda = ctypes.CDLL("libcuda.so.1")
    except OSError as error:
        return {"error": str(error)}
    supports = _number(cuda.cuDriverGetVersion)
    code = cuda.cuInit(0)
    devices = [] if code else [_device(cuda, index) for index in range(_number(cuda.cuDeviceGetCount))]
    return {"supports": [supports // 1000, supports % 1000 // 10], "code": code, "devices": devices}


def _device(cuda: ctypes.CDLL, index: int) -> dict[str, object]:
    device = _number(cuda.cuDeviceGet, index)
    name = ctypes.create_string_buffer(256)
    cuda.cuDeviceGetName(name, len(name), device)
    memory = ctypes.c_size_t()
    cuda.cuDeviceTotalMem_v2(ctypes.byref(memory), device)
    capability = [_number(cuda.cuDeviceGetAttribute, attribute, device) for attribute in (_MAJOR, _MINOR)]
    return {"name": name.value.decode(), "capability": capability, "memory_total": memory.value}


def _number(function: "ctypes._NamedFuncPointer", *arguments: int) -> int:
    found = ctypes.c_int()
    function(ctypes.byref(found), *arguments)
    return found.value


if __name__ == "__main__":
    print(json.dumps(answer()))  # noqa: T201
