"""What the API tells about one page or file."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from icf.app.demo.site.titles import Found
from icf.app.demo.site.wiki import FILE_NAMESPACE, Licence, WikiFile
from icf.app.demo.site.wikitext import written

UPLOADED = "2024-01-01T00:00:00Z"
_DEFAULT_IMAGE_INFO = ("timestamp", "user")


def file_url(base: str, file: WikiFile) -> str:
    """Give the address of a file's bytes."""
    return f"{base}/{quote(file.path)}"


def page_url(base: str, title: str) -> str:
    """Give the address of a page for people."""
    return f"{base}/wiki/{quote(title.replace(' ', '_'), safe='/:')}"


def identity(page: Found) -> dict[str, Any]:
    """Say which page this is, or why there is none."""
    if page.invalid:
        reason = "The requested page title contains invalid characters: "
        shown = f'{reason}"{page.invalid}".'
        return {"title": page.title, "invalidreason": shown, "invalid": True}
    told: dict[str, Any] = {"ns": page.namespace, "title": page.title}
    if page.pageid:
        return {"pageid": page.pageid, **told}
    return {**told, "missing": True}


def info(base: str, page: Found, wanted: list[str]) -> dict[str, Any]:
    """Answer ``prop=info``."""
    told: dict[str, Any] = {"contentmodel": "wikitext", "pagelanguage": "en"}
    told |= {"pagelanguagehtmlcode": "en", "pagelanguagedir": "ltr"}
    if page.pageid:
        told |= {"touched": UPLOADED, "lastrevid": page.pageid, "length": 1000}
    if page.page is not None and page.page.redirect:
        told["redirect"] = True
    if "url" in wanted:
        url = page_url(base, page.title)
        told |= {"fullurl": url, "editurl": url, "canonicalurl": url}
    return told


def image_info(base: str, page: Found, wanted: list[str]) -> dict[str, Any]:
    """Answer ``prop=imageinfo``; a file may lack it although its page is there."""
    if page.namespace != FILE_NAMESPACE:
        return {}
    file = page.file
    if file is None or not file.known:
        return {"imagerepository": ""}
    facts: dict[str, Any] = {}
    for name in wanted or _DEFAULT_IMAGE_INFO:
        facts |= _fact(base, file, name)
    return {"imagerepository": "local", "imageinfo": [facts]}


def _fact(base: str, file: WikiFile, name: str) -> dict[str, Any]:
    if name == "url":
        return {
            "url": file_url(base, file),
            "descriptionurl": page_url(base, file.title),
            "descriptionshorturl": f"{base}/w/index.php?curid={file.pageid}",
        }
    if name == "extmetadata":
        return {"extmetadata": _extended(file)}
    if name in ("size", "dimensions"):
        return {"size": file.size, "width": file.width, "height": file.height}
    single: dict[str, Any] = {
        "sha1": file.sha1,
        "mime": file.mime,
        "user": "Harbour master",
        "timestamp": UPLOADED,
        "mediatype": "BITMAP",
        "commonmetadata": [],
        "metadata": [],
    }
    return {name: single[name]} if name in single else {}


def _extended(file: WikiFile) -> dict[str, Any]:
    """Give what Wikimedia Commons gives in ``extmetadata``."""
    own = "mediawiki-metadata"
    told = {
        "DateTime": {"value": UPLOADED, "source": own, "hidden": ""},
        "ObjectName": {
            "value": file.title.removeprefix("File:").rpartition(".")[0],
            "source": own,
            "hidden": "",
        },
    }
    if file.licence is not None:
        told |= _licence(file.licence)
    return told


def _licence(licence: Licence) -> dict[str, Any]:
    named = {
        "LicenseShortName": licence.name,
        "LicenseUrl": licence.url,
        "Artist": licence.artist,
    }
    page = "commons-desc-page"
    return {
        key: {"value": value, "source": page} for key, value in named.items() if value
    }


def revision(page: Found, wanted: list[str], top: bool) -> dict[str, Any]:
    """Answer ``prop=revisions`` with the newest one; ``top`` is section 0 alone."""
    if not page.pageid:
        return {}
    told: dict[str, Any] = {"revid": page.pageid, "parentid": 0}
    if "content" in wanted:
        form = {"contentmodel": "wikitext", "contentformat": "text/x-wiki"}
        told = {"slots": {"main": {**form, "content": written(page, top)}}}
    return {"revisions": [told]}


def lead_image(
    base: str, lead: WikiFile | None, wanted: list[str], side: int
) -> dict[str, Any]:
    """Answer ``prop=pageimages`` of a page whose first image is ``lead``."""
    if lead is None:
        return {}
    told: dict[str, Any] = {}
    whole = {"source": file_url(base, lead)}
    whole_size: dict[str, Any] = {"width": lead.width, "height": lead.height}
    if "original" in wanted:
        told["original"] = {**whole, **whole_size}
    if "thumbnail" in wanted:
        # Nothing is scaled here; as on a wiki for a picture that is small already.
        scale = min(1.0, side / max(lead.width, lead.height))
        size = {key: round(value * scale) for key, value in whole_size.items()}
        told["thumbnail"] = {**whole, **size}
    if "name" in wanted:
        told["pageimage"] = lead.name
    return told
