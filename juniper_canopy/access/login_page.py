"""The page that asks for a key: no script, in the dashboard's look, for keyboards and password managers."""

from html import escape

CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "style-src 'unsafe-inline'",
        "img-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)

_STYLE = """
:root { color-scheme: light dark; --ground: #f5f7fa; --surface: #ffffff; --border: #b9c2cd; --text: #16202b;
  --soft: #556371; --accent: #0b57a4; --start: #00694e; --danger: #b3261e; --danger-ground: #fdecea; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #0d1117; --surface: #161b22; --border: #465160; --text: #e8edf2; --soft: #a3afbb;
    --accent: #7db8f0; --start: #0b7d5e; --danger: #ff8a80; --danger-ground: #35191a; }
}
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--ground); color: var(--text);
  font: 14px/1.5 Roboto, system-ui, sans-serif; }
main { width: min(360px, calc(100vw - 24px)); padding: 20px; background: var(--surface);
  border: 1px solid var(--border); border-radius: 8px; }
h1 { margin: 0 0 14px; font-size: 17px; font-weight: 600; }
form { display: grid; gap: 10px; }
label { color: var(--soft); font-size: 12px; }
input, button { font: inherit; min-height: 40px; padding: 0 10px; border-radius: 6px; }
input { width: 100%; border: 1px solid var(--border); background: var(--ground); color: var(--text); }
button { border: 1px solid var(--start); background: var(--start); color: #ffffff; font-weight: 500; cursor: pointer; }
a { color: var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
p { margin: 0; }
.alert { padding: 8px 10px; border-left: 3px solid var(--danger); border-radius: 6px;
  background: var(--danger-ground); color: var(--danger); font-size: 13px; }
.hint { color: var(--soft); font-size: 12px; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
"""


def form(wanted: str, problem: str = "") -> str:
    """The form, with what was wrong with the last try; `wanted` is where it leads."""
    alert = f'<p class="alert" role="alert" id="problem">{escape(problem)}</p>' if problem else ""
    described = ' aria-invalid="true" aria-describedby="problem"' if problem else ' aria-describedby="hint"'
    return _document(
        f"""{alert}
<form method="post" action="/login">
<input type="hidden" name="next" value="{escape(wanted)}">
<input class="unseen" name="username" value="juniper" autocomplete="username" tabindex="-1" aria-hidden="true">
<label for="key">Key</label>
<input id="key" name="key" type="password" autocomplete="current-password" required autofocus{described}>
<button type="submit">Log in</button>
<p class="hint" id="hint">One of the keys of this dashboard, as whoever runs it gave it to you.</p>
</form>"""
    )


def going_on(wanted: str) -> str:
    """A page that asks for `wanted` by itself: the request is then one of this site, and brings the cookie along."""
    address = escape(wanted)
    return _document(f'<p><a href="{address}">Go on to the dashboard</a></p>', f'0; url="{address}"')


def _document(content: str, refresh: str = "") -> str:
    meta = f"<meta http-equiv='refresh' content='{refresh}'>" if refresh else ""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">{meta}
<title>Log in · Juniper Canopy</title>
<link rel="icon" href="/favicon.ico">
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>Juniper Canopy</h1>
{content}
</main>
</body>
</html>"""
