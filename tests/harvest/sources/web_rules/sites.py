"""Little sites, and workspaces that harvest them."""

import datetime
import io
import ipaddress
import ssl
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from PIL import Image

from icf.catalogue.schema import album, character, discovery
from icf.workspace import Workspace, find, init
from tests.harvest.rows import all_of
from tests.harvest.wire import Site, answer, serving

RULES = """\
albums = { start = ["START"], link = "css: a.album", next = "css: a.next" }
characters = { link = "css: a.character" }
images = { url = "css: img.picture" }
"""


def html(body: str, **headers: str) -> bytes:
    """A whole response with a page."""
    kind = {"Content_Type": "text/html; charset=utf-8", **headers}
    return answer(f"<!doctype html><body>{body}</body>".encode(), **kind)


def png(number: int) -> bytes:
    """A picture that differs from every other number's."""
    out = io.BytesIO()
    Image.new("RGB", (24, 24), (number % 256, number // 256, 7)).save(out, "PNG")
    return out.getvalue()


def workspace(
    root: Path, start: str, rules: str = RULES, more: str = "", **settings: Any
) -> Workspace:
    """A workspace with one source of kind ``web``."""
    init(root)
    host = start.split("/")[2]
    values = {"allow_hosts": [host], "attempts": 1, "backoff": 0.01, **settings}
    lines = [f"{key} = {_toml(value)}" for key, value in values.items()]
    (root / "icf.toml").write_text(
        "[harvest]\n"
        + "\n".join(lines)
        + '\n[[source]]\nname = "toons"\nkind = "web"\ndelay = 0\n'
        + rules.replace("START", start)
        + more
    )
    return find(root)


def _toml(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value)


def listings(made: Workspace) -> dict[str, tuple[str, str]]:
    """The status and the message of each listing, by the path of its page."""
    found = {}
    for row in all_of(made.catalogue, discovery):
        path = "/" + row["subject"].partition(" ")[0].split("/", 3)[3]
        found[path] = (row["status"], row["message"] or "")
    return found


def names(made: Workspace) -> dict[str, list[str]]:
    """The characters of each album, in the order of the alphabet."""
    albums = {row["id"]: row["name"] for row in all_of(made.catalogue, album)}
    found: dict[str, list[str]] = {name: [] for name in albums.values()}
    for row in all_of(made.catalogue, character):
        found[albums[row["album_id"]]].append(row["name"])
    return {name: sorted(found[name]) for name in sorted(found)}


def many_albums(site: Site, albums: int, characters: int = 2) -> str:
    """Serve a list of albums on pages of five; return the address of the first."""
    pages = range(0, albums, 5)
    for page in pages:
        links = "".join(
            f'<a class="album" href="/a{n}">Album {n}</a>'
            for n in range(page, min(page + 5, albums))
        )
        following = f'<a class="next" href="/list{page + 5}">more</a>'
        last = page + 5 >= albums
        site.route(f"/list{page}", html(links + ("" if last else following)))
    for n in range(albums):
        who = range(characters)
        cast = "".join(
            f'<a class="character" href="/a{n}c{c}">Who {c}</a>' for c in who
        )
        site.route(f"/a{n}", html(cast))
        for c in who:
            number = n * characters + c
            site.route(f"/a{n}c{c}", html(f'<img class="picture" src="/{number}.png">'))
            site.route(f"/{number}.png", answer(png(number)))
    return site.url("/list0")


def serving_tls(folder: Path) -> AbstractContextManager[Site]:
    """Run a `Site` behind a certificate that nobody signed."""
    return serving(_own_certificate(folder))


def _own_certificate(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    begins = datetime.datetime(2020, 1, 1)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    names = [address, x509.DNSName("wiki.example")]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begins)
        .not_valid_after(begins.replace(year=2120))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "own.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context
