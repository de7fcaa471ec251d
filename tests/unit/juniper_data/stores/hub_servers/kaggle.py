"""A Kaggle of one's own: the calls that make versions of datasets and download their files, and what they mean."""

import base64
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import PurePosixPath
from typing import Any

from tests.unit.juniper_data.stores.hub_servers.serving import Answer, HubServer, Request, answer_json

KEY = "lab:key-of-the-tests"
DATASET = "lab/sets"

_API = "/v1/datasets.DatasetApiService"


@dataclass
class Dataset:
    """Files of each version, the first one first."""

    is_private: bool
    versions: list[dict[str, bytes]] = field(default_factory=list)

    @property
    def files(self) -> dict[str, bytes]:
        """Those of the last version."""
        return self.versions[-1]


class KaggleServer(HubServer):
    """Datasets, their versions and the files that are sent for them."""

    def __init__(self) -> None:
        super().__init__(
            {
                ("POST", f"{_API}/GetDataset"): self._get,
                ("POST", f"{_API}/GetDatasetStatus"): self._status,
                ("POST", f"{_API}/CreateDataset"): self._create,
                ("POST", f"{_API}/CreateDatasetVersion"): self._create_version,
                ("POST", f"{_API}/DownloadDataset"): self._download,
                ("POST", "/v1/blobs.BlobApiService/StartBlobUpload"): self._start,
                ("PUT", r"/blobs/(\w+)"): self._take,
                ("GET", r"/storage/([^/]+/[^/]+)/(\d+)/(.+)"): self._give,
            }
        )
        self.datasets: dict[str, Dataset] = {}
        self._blobs: dict[str, tuple[str, int, bytes]] = {}
        self._tokens = count(1)
        self.works_for = 0
        """So often the status of a new version is that it is not ready yet."""
        self.packs: set[str] = set()
        """The files that it packs when one of them is downloaded."""
        self.status = "READY"
        self._asked = 0

    def refuses(self, request: Request) -> Answer | None:
        """Only who shows the key is answered, but where an address is the key."""
        expected = f"Basic {base64.b64encode(KEY.encode()).decode()}"
        if not request.path.startswith("/v1/") or request.headers.get("authorization") == expected:
            return None
        return _error(401, "Unauthenticated")

    def _get(self, request: Request) -> Answer:
        dataset = _name(request.json)
        if dataset not in self.datasets:
            return _error(403, "Permission 'datasets.get' was denied")
        return answer_json({"ref": dataset, "currentVersionNumber": len(self.datasets[dataset].versions)})

    def _status(self, request: Request) -> Answer:
        assert _name(request.json) in self.datasets
        self._asked += 1
        return answer_json({"status": self.status if self._asked > self.works_for else "BLOBS_RECEIVED"})

    def _start(self, request: Request) -> Answer:
        token = f"t{next(self._tokens)}"
        self._blobs[token] = (request.json["name"], request.json["contentLength"], b"")
        return answer_json({"token": token, "createUrl": f"{self.url}/blobs/{token}"})

    def _take(self, request: Request, token: str) -> Answer:
        name, size, _ = self._blobs[token]
        if len(request.body) != size:
            return _error(400, "another size")
        self._blobs[token] = (name, size, request.body)
        return Answer()

    def _create(self, request: Request) -> Answer:
        asked = request.json
        name = f"{asked['ownerSlug']}/{asked['slug']}"
        if name in self.datasets:
            return answer_json({"error": "The requested title is already in use by a dataset."})
        self.datasets[name] = Dataset(asked["isPrivate"], [self._files(asked)])
        return answer_json({"status": "ok", "ref": name})

    def _create_version(self, request: Request) -> Answer:
        self.datasets[_name(request.json)].versions.append(self._files(request.json["body"]))
        self._asked = 0
        return answer_json({"status": "ok"})

    def _files(self, asked: Any) -> dict[str, bytes]:
        """Archives at the root are unpacked, each into a folder."""
        files: dict[str, bytes] = {}
        for file in asked["files"]:
            name, _, content = self._blobs[file["token"]]
            if name.endswith(".zip"):
                with zipfile.ZipFile(io.BytesIO(content)) as archive:
                    folder = name.removesuffix(".zip")
                    files |= {f"{folder}/{member}": archive.read(member) for member in archive.namelist()}
            else:
                files[name] = content
        return files

    def _download(self, request: Request) -> Answer:
        asked = request.json
        dataset, version, path = _name(asked), asked["datasetVersionNumber"], asked.get("fileName", "")
        if path and path not in self.datasets[dataset].versions[version - 1]:
            return _error(404, "Not found")
        given = f"{path}.zip" if path in self.packs else path or "archive.zip"
        return Answer(302, headers={"Location": f"{self.url}/storage/{dataset}/{version}/{given}"})

    def _give(self, _: Request, dataset: str, version: str, path: str) -> Answer:
        files = self.datasets[dataset].versions[int(version) - 1]
        if path == "archive.zip":
            return Answer(body=archive_of(files))
        packed = path.removesuffix(".zip")
        return Answer(body=files[path] if packed == path else archive_of({PurePosixPath(packed).name: files[packed]}))


def archive_of(files: Mapping[str, bytes]) -> bytes:
    """All of a version as one file."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def _name(asked: Any) -> str:
    return f"{asked['ownerSlug']}/{asked['datasetSlug']}"


def _error(status: int, message: str) -> Answer:
    return answer_json({"code": status, "message": message}, status)
