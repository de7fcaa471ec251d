"""A Hugging Face hub of one's own: the calls that its library makes to read and commit files, and what they mean."""

import base64
import hashlib
import json
from dataclasses import dataclass, field

from tests.unit.juniper_data.stores.hub_servers.serving import Answer, HubServer, Request, answer_json

TOKEN = "hf_of_the_tests"  # noqa: S105 - of no real hub
REPO = "lab/sets"

_API = r"/api/datasets/([^/]+/[^/]+)"


@dataclass
class Repository:
    """Files at each commit, the last one last."""

    is_private: bool
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)

    @property
    def head(self) -> str:
        """The last commit."""
        return list(self.commits)[-1]

    @property
    def files(self) -> dict[str, bytes]:
        """Those of the last commit."""
        return self.commits[self.head]

    def add(self, files: dict[str, bytes]) -> str:
        """One more commit, which has these files."""
        commit = hashlib.sha1(f"{len(self.commits)} {sorted(files)}".encode()).hexdigest()  # noqa: S324 - as git does
        self.commits[commit] = files
        return commit


class HuggingFaceServer(HubServer):
    """Repositories, their files and large files."""

    def __init__(self) -> None:
        super().__init__(
            {
                ("POST", "/api/repos/create"): self._create,
                ("GET", f"{_API}/revision/main"): self._info,
                ("GET", f"{_API}/auth-check/write"): self._auth_check,
                ("POST", f"{_API}/preupload/main"): self._preupload,
                ("POST", f"{_API}/commit/main"): self._commit,
                ("POST", r"/datasets/([^/]+/[^/]+)\.git/info/lfs/objects/batch"): self._batch,
                ("PUT", r"/large/([0-9a-f]{64})"): self._take,
                ("POST", r"/large/([0-9a-f]{64})/verify"): self._verify,
                ("GET", r"/datasets/([^/]+/[^/]+)/resolve/([^/]+)/(.+)"): self._resolve,
                ("GET", r"/cdn/(.+)"): self._give,
            }
        )
        self.repositories: dict[str, Repository] = {}
        self.ignores: set[str] = set()
        """The files that no commit has, as a .gitignore in the repository may say."""
        self._large: dict[str, bytes] = {}

    def refuses(self, request: Request) -> Answer | None:
        """Only who shows the token is answered, but where an address is the key."""
        by_address = (request.method, request.path.split("/")[1]) in {("GET", "cdn"), ("PUT", "large")}
        if by_address or request.headers.get("authorization") == f"Bearer {TOKEN}":
            return None
        return _error(401, "Invalid credentials in Authorization header")

    def _create(self, request: Request) -> Answer:
        asked = request.json
        repo = f"{asked['organization']}/{asked['name']}"
        if repo in self.repositories:
            return _error(409, "You already created this dataset repo")
        assert asked["type"] == "dataset"
        made = self.repositories[repo] = Repository(is_private=asked.get("visibility") == "private")
        made.add({".gitattributes": b"*.npz filter=lfs"})
        return answer_json({"url": f"{self.url}/datasets/{repo}"})

    def _info(self, _: Request, repo: str) -> Answer:
        if repo not in self.repositories:
            return _error(404, "Repository not found", "RepoNotFound")
        return answer_json({"_id": "1", "id": repo, "sha": self.repositories[repo].head})

    def _auth_check(self, _: Request, repo: str) -> Answer:
        if repo not in self.repositories:
            return _error(404, "Repository not found", "RepoNotFound")
        return answer_json({})

    def _preupload(self, request: Request, _: str) -> Answer:
        modes = {True: "lfs", False: "regular"}
        paths = [file["path"] for file in request.json["files"]]
        files = [
            {"path": path, "uploadMode": modes[path.endswith(".npz")], "shouldIgnore": path in self.ignores}
            for path in paths
        ]
        return answer_json({"files": files})

    def _batch(self, request: Request, _: str) -> Answer:
        assert request.json["operation"] == "upload"
        objects = []
        for file in request.json["objects"]:
            upload = {"href": f"{self.url}/large/{file['oid']}"}
            actions = {"upload": upload, "verify": {"href": f"{upload['href']}/verify"}}
            objects.append(file | ({} if file["oid"] in self._large else {"actions": actions}))
        return answer_json({"transfer": "basic", "objects": objects})

    def _take(self, request: Request, oid: str) -> Answer:
        if hashlib.sha256(request.body).hexdigest() != oid:
            return _error(400, "not what was announced")
        self._large[oid] = request.body
        return Answer()

    def _verify(self, request: Request, oid: str) -> Answer:
        return Answer() if len(self._large[oid]) == request.json["size"] else _error(400, "another size")

    def _commit(self, request: Request, repo: str) -> Answer:
        repository = self.repositories[repo]
        header, *operations = [json.loads(line) for line in request.body.splitlines()]
        if header["value"]["parentCommit"] != repository.head:
            return _error(412, "A commit has happened since. Please refresh and try again.")
        files = dict(repository.files)
        for operation in operations:
            value = operation["value"]
            match operation["key"]:
                case "file":
                    files[value["path"]] = base64.b64decode(value["content"])
                case "lfsFile":
                    files[value["path"]] = self._large[value["oid"]]
                case "deletedFile":
                    del files[value["path"]]
        commit = repository.add(files)
        return answer_json({"commitUrl": f"{self.url}/datasets/{repo}/commit/{commit}", "commitOid": commit})

    def _resolve(self, _: Request, repo: str, revision: str, path: str) -> Answer:
        if path not in self.repositories[repo].commits[revision]:
            return _error(404, "Entry not found", "EntryNotFound")
        if path.endswith(".npz"):
            return Answer(302, headers={"Location": f"{self.url}/cdn/{repo}/{revision}/{path}"})
        return Answer(body=self.repositories[repo].commits[revision][path])

    def _give(self, _: Request, address: str) -> Answer:
        owner, name, revision, path = address.split("/", 3)
        return Answer(body=self.repositories[f"{owner}/{name}"].commits[revision][path])


def _error(status: int, message: str, code: str = "") -> Answer:
    headers = {"Content-Type": "application/json", "X-Error-Message": message, "X-Error-Code": code}
    return Answer(status, json.dumps({"error": message}).encode(), headers)
