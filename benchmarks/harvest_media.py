"""Videos by their keyframes against real time; comic PDFs extracted against rendered.

``ours`` is how many seconds of a 720p video one CPU second goes through in keyframe
mode. ``ratio`` is how many more pages a CPU second gets out of a PDF of scanned pages
when each is taken out as it was put in than when pypdfium2 only draws it, at 150 dpi,
which is no file yet. The PDF part runs in this process, with no pipe between.

Run: python -m benchmarks.harvest_media [--json]
"""

import io
import itertools
import tempfile
import time
from pathlib import Path

import av
import numpy as np
import pikepdf
import pypdfium2
from PIL import Image

from benchmarks.media_video import draw_film, times_real_time
from benchmarks.report import Result, peak_rss_mib, report
from icf.harvest.sources.comic.pdf import Pdf

PAGES, WIDTH, HEIGHT, DPI = 400, 1240, 1754, 150.0
DRAWN = 30
#: Of the drawn film, which is then shown several times over; x264 puts a keyframe every
#: 250 frames by default.
SECONDS, KEYS_EVERY, SHOWN = 60, 250, 20
_A4 = (595, 842)


def make_pdf(path: Path) -> None:
    """A comic of JPEG pages at 150 dpi, each with other strokes."""
    rng = np.random.default_rng(0)
    with pikepdf.new() as made:
        for _ in range(PAGES):
            made_page = made.add_blank_page(page_size=_A4)
            coarse = rng.integers(0, 255, (44, 31, 3), np.uint8)
            page = Image.fromarray(coarse).resize((WIDTH, HEIGHT), Image.Resampling.BOX)
            out = io.BytesIO()
            page.save(out, "JPEG", quality=85)
            stream = pikepdf.Stream(
                made,
                out.getvalue(),
                Type=pikepdf.Name.XObject,
                Subtype=pikepdf.Name.Image,
                Width=WIDTH,
                Height=HEIGHT,
                BitsPerComponent=8,
                ColorSpace=pikepdf.Name.DeviceRGB,
                Filter=pikepdf.Name.DCTDecode,
            )
            made_page.obj.Resources = pikepdf.Dictionary(
                XObject=pikepdf.Dictionary(I=made.make_indirect(stream))
            )
            content = f"q {_A4[0]} 0 0 {_A4[1]} 0 0 cm /I Do Q".encode()
            made_page.obj.Contents = pikepdf.Stream(made, content)
        made.save(path)


def taken(path: Path) -> float:
    """Pages per CPU second, each as it was put in."""
    begin = time.process_time()
    book = Pdf(path, 50_000_000, DPI)
    for page in book.pages:
        pieces: list[bytes] = []
        book.read(page, pieces.append)
        assert pieces[0].startswith(b"\xff\xd8")
    book.close()
    return PAGES / (time.process_time() - begin)


def drawn(path: Path) -> float:
    """Pages per CPU second when pypdfium2 draws them; packing them is not counted."""
    begin = time.process_time()
    document = pypdfium2.PdfDocument(path)
    for page in itertools.islice(document, DRAWN):
        page.render(scale=DPI / 72).to_pil().load()
    document.close()
    return DRAWN / (time.process_time() - begin)


def repeated(film: Path, longer: Path) -> Path:
    """Write a film that shows another one several times, without encoding it again."""
    with av.open(str(longer), "w") as out:
        stream = None
        for turn in range(SHOWN):
            with av.open(str(film)) as part:
                source = part.streams.video[0]
                stream = stream or out.add_stream_from_template(source)
                assert source.time_base is not None
                shift = round(turn * SECONDS / source.time_base)
                for packet in part.demux(source):
                    if packet.dts is None or packet.pts is None:
                        continue
                    packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                    packet.stream = stream
                    out.mux(packet)
    return longer


def main() -> None:
    """Measure and report."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "comic.pdf"
        make_pdf(path)
        raw, peer = taken(path), drawn(path)
        film = draw_film(Path(folder) / "part.mp4", SECONDS, KEYS_EVERY)
        film = repeated(film, Path(folder) / "film.mp4")
        times = times_real_time(film, Path(folder))
    ratio = raw / peer
    ok = times >= 100 and ratio >= 10
    also = {
        "pdf_raw_pages_per_cpu_s": raw,
        "pdf_drawn_pages_per_cpu_s": peer,
        "peak_rss_mib": peak_rss_mib(),
    }
    goal = ">= 100 x real time at 720p; PDF pages taken out >= 10 x drawn"
    name = "pypdfium2, drawing alone (of the ratio)"
    unit = "x real time per core"
    result = Result("harvest_media", unit, times, None, name, ratio, goal, ok, also)
    report(result)


if __name__ == "__main__":
    main()
