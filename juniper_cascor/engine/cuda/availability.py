"""What the GPU back ends have on this host: facts in, a verdict for each with the next thing to do out.

Nothing here looks at the host; `host_facts` does.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from juniper_cascor.engine.backend import GpuBackendName

Version: TypeAlias = tuple[int, ...]

LEAST_CAPABILITY = (8, 0)
"""Of a device: the oldest that the kernels are compiled and measured for."""

_DRIVERS = {12: "525", 13: "580"}
"""The first driver of each CUDA version. Within a version an older driver runs what a newer minor version built."""

_INSTALL = "juniper-ctl install --gpu"
_NO_DEVICE, _NOT_READY, _MISMATCH = 100, 802, 803  # CUresult


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """One device, as CUDA lists it."""

    name: str
    capability: Version
    memory_total: int  # bytes


@dataclass(frozen=True, slots=True)
class CudaFacts:
    """What the driver's library answered a process of its own."""

    supports: Version | None = None
    """The newest CUDA that it runs; None where there is no library."""
    code: int = 0
    """Of cuInit: a CUresult; 0 is success."""
    error: str = ""
    """Why there is no answer at all: no library, or the process that asked it died."""
    devices: tuple[DeviceFacts, ...] = ()


@dataclass(frozen=True, slots=True)
class Package:
    """An installed library, and the CUDA that it was built for; None: for CPUs alone."""

    name: str
    version: str
    cuda: Version | None


@dataclass(frozen=True, slots=True)
class Facts:
    """All that verdicts are made from."""

    pci_gpus: int = 0
    """NVIDIA's on the bus, whether a driver is loaded or not."""
    nodes: tuple[str, ...] = ()
    """NVIDIA's names below /dev."""
    closed_nodes: tuple[str, ...] = ()
    """Those of them that this user may not open."""
    driver: str | None = None
    """The version of the kernel module; None where none is loaded."""
    visible_devices: str | None = None
    """CUDA_VISIBLE_DEVICES."""
    cuda: CudaFacts = CudaFacts()
    cupy: tuple[Package, ...] = ()
    """More than one is one too many."""
    torch: Package | None = None
    nvrtc: str | None = None
    """The version, or the folder, of the compiler that CuPy calls."""
    headers: str | None = None
    """The same of the CUDA headers, which CuPy compiles with."""

    @property
    def has_gpu(self) -> bool:
        """There is one, whatever may be missing to use it."""
        return self.pci_gpus > 0 or any(is_gpu(node) for node in self.nodes)

    @property
    def is_expected(self) -> bool:
        """Somebody set this host up to train on a GPU: a driver is there, or what CuPy needs was installed."""
        return self.has_gpu and (self.driver is not None or bool(self.nodes) or bool(self.cupy))


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether something can be used; if not, why, and the next thing to do, where anything can be done."""

    reason: str = ""
    next_step: str = ""

    @property
    def is_usable(self) -> bool:
        """Nothing speaks against it."""
        return not self.reason

    def __str__(self) -> str:
        return f"{self.reason}; next: {self.next_step}" if self.next_step else self.reason


USABLE = Verdict()


@dataclass(frozen=True, slots=True)
class Availability:
    """The verdicts, and what they were made from."""

    facts: Facts
    device: Verdict
    """On the driver and the devices, without which no back end works."""
    backends: Mapping[GpuBackendName, Verdict]

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "has_gpu": self.facts.has_gpu,
            "is_expected": self.facts.is_expected,
            "device": _as_json(self.device),
            "backends": {name: _as_json(verdict) for name, verdict in self.backends.items()},
            "facts": asdict(self.facts),
        }


def judge(facts: Facts) -> Availability:
    """What can be used, and what not and why."""
    device = _device(facts)
    if not device.is_usable:
        return Availability(facts, device, {"cupy": device, "torch": device})
    return Availability(facts, device, {"cupy": _cupy(facts), "torch": _torch(facts)})


def is_gpu(node: str) -> bool:
    """It is the node of one GPU: nvidia0 and so on."""
    return node.removeprefix("nvidia").isdigit()


def dotted(version: Version) -> str:
    """As a person writes it: 13.0."""
    return ".".join(map(str, version))


def _as_json(verdict: Verdict) -> dict[str, Any]:
    return {"is_usable": verdict.is_usable, **asdict(verdict)}


def _device(facts: Facts) -> Verdict:
    problem = _driver_problem(facts) or _cuda_problem(facts)
    if problem is not None:
        return problem
    first = facts.cuda.devices[0]
    if first.capability < LEAST_CAPABILITY:
        # There is nothing to type: only another GPU helps.
        least = dotted(LEAST_CAPABILITY)
        return Verdict(f"the compute capability of {first.name} is {dotted(first.capability)}, below {least}")
    return USABLE


def _driver_problem(facts: Facts) -> Verdict | None:
    if not facts.has_gpu and facts.driver is None:
        return Verdict("there is no NVIDIA GPU")
    if facts.driver is None and "nvidiactl" not in facts.nodes:
        return Verdict(
            "no /dev/nvidiactl: no NVIDIA driver is loaded",
            "sudo apt-get install nvidia-driver   (on Ubuntu: sudo ubuntu-drivers install), and reboot",
        )
    if "nvidiactl" not in facts.nodes or not any(is_gpu(node) for node in facts.nodes):
        lacking = "GPU's node below /dev" if "nvidiactl" in facts.nodes else "/dev/nvidiactl"
        return Verdict(f"the driver is loaded, but there is no {lacking}", "sudo nvidia-modprobe -c=0")
    if "nvidia-uvm" not in facts.nodes:
        return Verdict("/dev/nvidia-uvm is missing, without which CUDA does not begin", "sudo nvidia-modprobe -u -c=0")
    if facts.closed_nodes:
        closed = facts.closed_nodes[0]
        return Verdict(
            f"/dev/{closed} may not be opened by this user",
            f"ls -l /dev/{closed}, and sudo usermod -aG its group for this user",
        )
    return None


def _cuda_problem(facts: Facts) -> Verdict | None:
    cuda = facts.cuda
    if cuda.error:
        return Verdict(
            f"the driver's library does not answer: {cuda.error}",
            "sudo apt-get install libcuda1, of the same version as the driver",
        )
    if cuda.code == _MISMATCH:
        return Verdict(
            f"the kernel module ({facts.driver}) and the driver's library have different versions",
            "sudo reboot, as after every upgrade of the driver",
        )
    if cuda.code == _NOT_READY:
        return Verdict("the GPUs' fabric is not ready", "sudo systemctl start nvidia-fabricmanager")
    if (cuda.code == _NO_DEVICE or not (cuda.code or cuda.devices)) and facts.visible_devices is not None:
        if not facts.visible_devices:
            return Verdict("CUDA_VISIBLE_DEVICES is empty, which hides every GPU")  # somebody wants it so
        return Verdict(
            f"CUDA_VISIBLE_DEVICES={facts.visible_devices} hides every GPU", "unset it, in the env file of cascor too"
        )
    if cuda.code or not cuda.devices:
        said = f"CUDA does not begin (error {cuda.code})" if cuda.code else "CUDA lists no device"
        return Verdict(said, "sudo dmesg | grep -i -e nvrm -e nvidia")
    return None


def _cupy(facts: Facts) -> Verdict:
    if not facts.cupy:
        return Verdict("CuPy is not installed", _INSTALL)
    if len(facts.cupy) > 1:
        names = " and ".join(package.name for package in facts.cupy)
        return Verdict(f"{names} are both installed, and spoil each other", f"pip uninstall {names}; {_INSTALL}")
    (cupy,) = facts.cupy
    problem = _too_old_driver(cupy, "CuPy", facts)
    if problem is not None:
        return problem
    if facts.nvrtc is None or facts.headers is None:
        lacking = "NVRTC" if facts.nvrtc is None else "CUDA headers"
        return Verdict(f"CuPy finds no {lacking}, and compiles nothing without", _INSTALL)
    return USABLE


def _torch(facts: Facts) -> Verdict:
    if facts.torch is None:
        return Verdict("torch is not installed", _INSTALL)
    if facts.torch.cuda is None:
        return Verdict(f"torch {facts.torch.version} is a build for CPUs alone", _INSTALL)
    problem = _too_old_driver(facts.torch, "torch", facts)
    if problem is not None:
        return problem
    cupy = _cupy(facts)
    return cupy if cupy.is_usable else Verdict(f"its kernels are launched by CuPy: {cupy.reason}", cupy.next_step)


def _too_old_driver(package: Package, name: str, facts: Facts) -> Verdict | None:
    supports = facts.cuda.supports
    if package.cuda is None or supports is None or package.cuda[0] <= supports[0]:
        return None
    newer = _DRIVERS.get(package.cuda[0])
    driver = f"driver {newer} or newer" if newer else "a newer driver"
    instead = f", or cupy-cuda{supports[0]}x in the place of {package.name}" if name == "CuPy" else ""
    return Verdict(
        f"{name} {package.version} was built for CUDA {dotted(package.cuda)}, and the driver"
        f" ({facts.driver}) supports {dotted(supports)} at most",
        f"install {driver}{instead}",
    )
