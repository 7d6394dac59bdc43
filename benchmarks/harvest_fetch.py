"""Fetching 5,000 JPEGs of some 195 kB from nginx on loopback: ours and two peers.

Ours is `icf-harvest run` with a list of one's own in a new workspace: robots.txt,
fetch, SHA-256, the header check, each picture flushed to the disk, and the catalogue.
Scrapy's ImagesPipeline and img2dataset (raw bytes into tar files) fetch the same files
from the same server in the same run. CPU seconds are those of the client's process and
its children, start-up included; the server's are not counted. "With decode" adds the
CPU seconds of decoding each stored picture once, by the program's own decoder.

Run: python -m benchmarks.harvest_fetch [--json]
"""

import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from benchmarks.report import Result, peer_python, report
from icf.images import decode
from icf.workspace import find, init

PICTURES, BASES, WIDTH, HEIGHT, BYTES = 5_000, 25, 1024, 768, 195_000
SCRAPY = ["scrapy==2.19.0", "twisted==26.10.0", "pillow"]
IMG2DATASET = ["img2dataset==1.47.0", "setuptools<81"]

NGINX = """
daemon off; master_process off; worker_processes 1; pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; keepalive_requests 1000000;
  keepalive_timeout 3600s; send_timeout 3600s;
  types {{ image/jpeg jpg; }}
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port}; root {folder}/files; }}
}}
"""

SPIDER = """
import sys
import scrapy
from scrapy.crawler import CrawlerProcess

class Pictures(scrapy.Spider):
    name = "pictures"
    async def start(self):
        for url in open(sys.argv[1]).read().split():
            yield {"image_urls": [url]}

process = CrawlerProcess({
    "ITEM_PIPELINES": {"scrapy.pipelines.images.ImagesPipeline": 1},
    "IMAGES_STORE": sys.argv[2], "LOG_LEVEL": "ERROR", "ROBOTSTXT_OBEY": True,
    "CONCURRENT_REQUESTS": 32, "CONCURRENT_REQUESTS_PER_DOMAIN": 32,
})
process.crawl(Pictures)
process.start()
"""

RAW = """
import sys
from img2dataset import download

if __name__ == "__main__":
    download(url_list=sys.argv[1], output_folder=sys.argv[2], input_format="txt",
             output_format="webdataset", disable_all_reencoding=True, resize_mode="no",
             processes_count=1, thread_count=32, number_sample_per_shard=1000,
             enable_wandb=False)
"""

MEASURED = """
import json, resource, subprocess, sys
done = subprocess.run(sys.argv[2:], stdout=sys.stderr, cwd=sys.argv[1])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([done.returncode, used.ru_utime + used.ru_stime, used.ru_maxrss]))
"""


def make_pictures(folder: Path) -> None:
    """Drawings with some grain, all of them different files, about 195 kB each."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    bases = [_drawn(rng) for _ in range(BASES)]
    for number in range(PICTURES):
        base = bases[number % BASES]
        comment = f"picture {number}".encode()
        segment = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment
        (folder / f"{number:05d}.jpg").write_bytes(base[:2] + segment + base[2:])


def _drawn(rng: np.random.Generator) -> bytes:
    flat = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    for _ in range(60):
        centre = (int(rng.integers(WIDTH)), int(rng.integers(HEIGHT)))
        colour = [int(value) for value in rng.integers(0, 255, 3)]
        cv2.circle(flat, centre, int(rng.integers(20, 160)), colour, -1, cv2.LINE_AA)
    grain = rng.normal(0, 1, flat.shape)
    best = b""
    for strength in np.arange(2.0, 30.0, 1.0):
        pixels = np.clip(flat + strength * grain, 0, 255).astype(np.uint8)
        _, encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 85])
        best = encoded.tobytes()
        if len(best) >= BYTES:
            break
    return best


@contextmanager
def nginx(folder: Path) -> Iterator[str]:
    """Serve ``folder/files`` on loopback; yield ``host:port``."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, port=port))
    server = subprocess.Popen(["nginx", "-p", str(folder), "-c", str(config)])
    try:
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def measure(folder: Path, *command: object) -> tuple[float, float]:
    """CPU seconds of a program and its children, and its peak MiB."""
    words = [sys.executable, "-c", MEASURED, str(folder), *map(str, command)]
    done = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True)
    code, cpu, peak = json.loads(done.stdout)
    if code != 0:
        raise RuntimeError(f"{command[0]} ended with {code}")
    return float(cpu), peak / 1024


def ours(folder: Path, host: str, urls: list[str]) -> tuple[float, float, float]:
    """CPU seconds, peak MiB, and CPU seconds of decoding what was stored."""
    root = folder / "ours"
    init(root)
    (root / "icf.toml").write_text(
        f'[harvest]\nallow_hosts = ["{host}"]\nper_host = 32\n'
        '[[source]]\nname = "mine"\nkind = "list"\npath = "urls.csv"\n'
    )
    rows = (f"Moon,Luna {n % 50},{one}\n" for n, one in enumerate(urls))
    (root / "urls.csv").write_text("album,character,url\n" + "".join(rows))
    program = Path(sys.executable).with_name("icf-harvest")
    cpu, peak = measure(root, program, "run", "--json")
    blobs = find(root).blobs
    stored = [one for one in (root / "blobs").rglob("*") if one.is_file()]
    if len(stored) != PICTURES:
        raise RuntimeError(f"{len(stored)} pictures were stored, not {PICTURES}")
    begin = time.process_time()
    for one in stored:
        decode(blobs.get(one.name))
    return cpu, peak, time.process_time() - begin


class Peers(NamedTuple):
    """CPU seconds and peak MiB of img2dataset and of Scrapy, and what Scrapy stored."""

    raw: float
    raw_peak: float
    pipeline: float
    pipeline_peak: float
    pipeline_stored: int


def peers(folder: Path, urls: list[str]) -> Peers:
    """Let both fetch everything; Scrapy gives a few up when connections close."""
    listed = folder / "urls.txt"
    listed.write_text("\n".join(urls))
    program = folder / "raw.py"
    program.write_text(RAW)
    python = peer_python("img2dataset", IMG2DATASET)
    raw = measure(folder, python, program, listed, folder / "raw")
    counted = [json.loads(s.read_text()) for s in (folder / "raw").glob("*_stats.json")]
    if sum(one["successes"] for one in counted) != PICTURES:
        raise RuntimeError("img2dataset did not fetch everything")
    python = peer_python("scrapy", SCRAPY)
    pipeline = measure(folder, python, "-c", SPIDER, listed, folder / "scrapy")
    stored = sum(1 for _ in (folder / "scrapy").rglob("*.jpg"))
    return Peers(*raw, *pipeline, stored)


def main() -> None:
    """Measure and report."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        make_pictures(folder / "files")
        with nginx(folder) as host:
            urls = [f"http://{host}/{n:05d}.jpg" for n in range(PICTURES)]
            cpu, peak, decoding = ours(folder, host, urls)
            other = peers(folder, urls)
        size = sum(f.stat().st_size for f in (folder / "files").iterdir()) / PICTURES
    rate, with_decode = PICTURES / cpu, PICTURES / (cpu + decoding)
    raw, scrapy = PICTURES / other.raw, other.pipeline_stored / other.pipeline
    ok = rate >= 500 and rate >= raw and rate >= 5 * scrapy
    report(
        Result(
            name="harvest_fetch",
            unit="images per CPU-second",
            ours=rate,
            peer=raw,
            peer_name="img2dataset, raw bytes into tar files",
            ratio=rate / raw,
            goal=">= 500; >= 1x img2dataset raw; >= 5x Scrapy ImagesPipeline; "
            ">= 150 with decode; <= 150 MiB",
            ok=ok and with_decode >= 150 and peak <= 150,
            also={
                "scrapy_ratio": rate / scrapy,
                "scrapy": scrapy,
                "scrapy_lost": PICTURES - other.pipeline_stored,
                "with_decode": with_decode,
                "peak_rss_mib": peak,
                "img2dataset_peak_rss_mib": other.raw_peak,
                "scrapy_peak_rss_mib": other.pipeline_peak,
                "kilobytes_each": size / 1000,
            },
        )
    )


if __name__ == "__main__":
    main()
