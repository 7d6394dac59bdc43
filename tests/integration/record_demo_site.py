"""Record what a real MediaWiki answers when the demo's site is harvested from it.

    python -m tests.integration.record_demo_site

Run by a developer after `make_site` has made the site again. It loads the pages and
files of ``site.tar`` into MediaWiki, harvests them through a proxy with the demo's
settings, and writes every answer of ``api.php`` into ``answers.json.gz``.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

from PIL import Image

from icf.app.demo.command import write_config
from icf.app.demo.site.archive import SiteArchive, shipped_tar
from icf.app.demo.site.recorded import BASE, key_of, shipped_answers, write_answers
from icf.app.demo.site.wiki import Wiki, WikiFile, WikiPage
from icf.workspace import init
from tests.integration.mediawiki import filled_wiki

#: Rows of one answer. MediaWiki would give 50; a harvest must follow ``continue``.
ROWS = "6"

_SETTINGS = """
$wgSitename = 'Toon Harbour Wiki';
$wgArticlePath = '/wiki/$1';
$wgHashedUploadDirectory = false;
$wgRightsText = 'Creative Commons Zero';
$wgRightsUrl = 'https://creativecommons.org/publicdomain/zero/1.0/';
# A web page named .jpg, which is one of the site's faults, keeps the type of its name.
$wgHooks['MimeMagicImproveFromExtension'][] = function ( $magic, $ext, &$mime ) {
	$mime = $ext === 'jpg' ? 'image/jpeg' : $mime;
};
"""


def main() -> None:
    """Record the answers into the folder of the demo's site."""
    site = SiteArchive(shipped_tar())
    answers: dict[str, str] = {}
    with (
        filled_wiki(lambda *folders: _write(site, *folders), _SETTINGS) as (host, _, _),
        _proxy(host, answers) as port,
        tempfile.TemporaryDirectory() as folder,
    ):
        init(Path(folder)).catalogue.close()
        write_config(Path(folder), port)
        command = [str(Path(sys.executable).parent / "icf-harvest"), "run"]
        # 3: some listings failed; the recording would then lack their answers.
        subprocess.run(
            [*command, "--set", "harvest.attempts=1"], cwd=folder, check=True
        )
    moved = {f"/images/{quote(f.name)}": f"/{quote(f.path)}" for f in site.wiki.files}
    for key, text in answers.items():
        for old, new in moved.items():
            text = text.replace(f'{BASE}{old}"', f'{BASE}{new}"')
        answers[key] = text
    target = shipped_answers()
    write_answers(target, answers)
    print(f"{len(answers)} answers, {target.stat().st_size} bytes: {target}")


def _write(site: SiteArchive, pictures: Path, texts: Path) -> None:
    """Write the site's pictures and pages for MediaWiki's import scripts."""
    for file in site.wiki.files:
        if not file.known:
            # The title ends where the last ending of the name begins.
            (texts / f"{file.title}.txt").write_text("This picture was lost.")
            continue
        data = site.read(file.path) if file.stored else _stand_in(file)
        (pictures / file.name).write_bytes(data)
        (pictures / f"{file.name}.txt").write_text(_about(file))
    for page in site.wiki.pages:
        (texts / page.title).write_text(_text(page, site.wiki))


def _stand_in(file: WikiFile) -> bytes:
    """A picture for the wiki to know; the demo's site answers 404 for it."""
    stream = BytesIO()
    size = file.width, file.height
    Image.new("RGB", size, (200, 30, len(file.name))).save(
        stream, file.mime.removeprefix("image/")
    )
    return stream.getvalue()


def _about(file: WikiFile) -> str:
    text = "== Summary ==\nA picture."
    if file.licence is None:
        return text
    words = (file.licence.name, file.licence.url, file.licence.artist)
    return f"{text}\n{{{{License|{'|'.join(words)}}}}}"


def _text(page: WikiPage, wiki: Wiki) -> str:
    if page.redirect:
        return f"#REDIRECT [[{page.links[0]}]]"
    lines = [f"'''{page.title}''' belongs to the {wiki.name}."]
    links = [f"* [[{title}]]" for title in page.links]
    if page.images:
        names = [name.replace("_", " ") for name in page.images]
        lines += [f"[[File:{names[0]}|thumb|{page.title}]]", *links]
        gallery = [f"File:{name}|{page.title}" for name in names]
        lines += ["== Gallery ==", "<gallery>", *gallery, "</gallery>"]
    elif links:
        lines += ["== Characters ==" if page.categories else "== Series ==", *links]
    return "\n".join([*lines, *(f"[[Category:{one}]]" for one in page.categories)])


@contextmanager
def _proxy(host: str, answers: dict[str, str]) -> Iterator[int]:
    """Pass requests on to the wiki, and keep the answers of its API.

    Yields:
        The proxy's port.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._pass_on(urlsplit(self.path).query)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._pass_on(body)

        def _pass_on(self, query: str) -> None:
            if not self.path.startswith("/w/api.php"):
                self.send_error(404)
                return
            key, parameters = key_of(query)
            asked = {
                name: ROWS if name.endswith("imlimit") or name == "cmlimit" else value
                for name, value in parameters.items()
            }
            url = f"http://{host}/w/api.php"
            with urllib.request.urlopen(url, urlencode(asked).encode()) as reply:
                text = reply.read().decode()
            own = f"127.0.0.1:{server.server_port}"
            answers[key] = text.replace(f"http://{host}", BASE)
            body = text.replace(host, own).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


if __name__ == "__main__":
    main()
