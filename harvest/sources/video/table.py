"""The keys of a source of kind ``video``."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pydantic

from icf.harvest.sources.base import SourceTable


class VideoTable(SourceTable):
    """Where the videos are, and what to take from them.

    Attributes:
        path: a video, or a folder: ``path/ALBUM/*.mp4``, or all for one ``album``.
        urls: pages of videos, for yt-dlp.
        album: whose videos they are.
        characters: the cast of each album.
        mode: the sharpest frames of each shot, or keyframes alone.
        frames: of each shot at most.
        tracks: follow the faces of each shot.
        format: of the stored frames; png is lossless.
        deadline: seconds that decoding a part (a minute or more of video) may take.
        download_deadline: seconds that the download of one video may take.
        max_bytes: of a downloaded video.
    """

    path: Path | None = None
    urls: tuple[str, ...] = ()
    album: str | None = pydantic.Field(default=None, min_length=1)
    characters: tuple[str, ...] = ()
    licence: str | None = None
    licence_url: str | None = None
    author: str | None = None
    mode: Literal["shots", "keyframes"] = "shots"
    frames: int = pydantic.Field(default=2, ge=1, le=20)
    tracks: bool = False
    format: Literal["jpeg", "png"] = "jpeg"
    deadline: float = pydantic.Field(default=300.0, gt=0)
    download_deadline: float = pydantic.Field(default=3600.0, gt=0)
    max_bytes: int = pydantic.Field(default=8_000_000_000, ge=1)

    @pydantic.model_validator(mode="after")
    def _is_complete(self) -> VideoTable:
        if (self.path is None) == (not self.urls):
            raise ValueError("give either path or urls")
        if self.urls and self.album is None:
            raise ValueError("urls need an album")
        if self.tracks and self.mode == "keyframes":
            raise ValueError('tracks need mode = "shots"')
        return self
