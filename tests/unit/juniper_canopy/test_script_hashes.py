from starlette.applications import Starlette
from starlette.responses import HTMLResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from juniper_canopy.ui.script_hashes import ScriptHashes, hashes_of, policy

ALERT = "'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='"
"""Of `alert(1)`, as a browser names it when it refuses to run it."""


def test_each_script_that_stands_in_the_page_has_its_hash() -> None:
    """Modules and import maps too; those with an address go by it."""
    html = '<script>alert(1)</script><script src="x.js"></script><p>alert(1)</p><script type=module>1 &lt; 2</script>'
    assert hashes_of(html)[0] == ALERT
    assert len(hashes_of(html)) == 2


def test_what_a_script_holds_is_no_markup() -> None:
    """Tags in strings begin nothing."""
    assert len(hashes_of("<script>a = '<script>'; b = '<p>'</script><p onclick='alert(1)'>")) == 1


def test_the_policy_runs_these_scripts_alone() -> None:
    """Whatever else gets into the page."""
    assert f"script-src 'self' 'unsafe-eval' {ALERT};" in policy((ALERT,))
    assert "'unsafe-inline'" not in policy((ALERT,)).partition("style-src")[0]


def test_html_answers_carry_their_policy() -> None:
    """Sent in pieces or at once; other answers pass as they are."""

    async def whole(_: object) -> HTMLResponse:
        return HTMLResponse("<script>alert(1)</script>")

    async def in_pieces(_: object) -> StreamingResponse:
        return StreamingResponse(iter(["<script>al", "ert(1)</script>"]), media_type="text/html")

    async def text(_: object) -> PlainTextResponse:
        return PlainTextResponse("<script>alert(1)</script>")

    routes = [Route("/whole", whole), Route("/pieces", in_pieces), Route("/text", text)]
    client = TestClient(ScriptHashes(Starlette(routes=routes)))
    for path in ("/whole", "/pieces"):
        answer = client.get(path)
        assert answer.text == "<script>alert(1)</script>"
        assert ALERT in answer.headers["content-security-policy"]
    assert "content-security-policy" not in client.get("/text").headers
